// Runs a small model of two processes through every interleaving of their steps.
#pragma once

#include <cstddef>
#include <set>
#include <vector>

namespace hardwork::shm::testing {

template <class State>
struct Explored {
    std::size_t states = 0;
    std::vector<State> ends;  // where nobody can take a step

    template <class Predicate>
    std::size_t count(Predicate predicate) const {
        std::size_t found = 0;
        for (const State& end : ends)
            if (predicate(end)) ++found;
        return found;
    }
};

// moves(state, out) appends each state that one step of one process leads to. State is compared by operator<, so that
// none is visited twice and loops end.
template <class State, class Moves>
Explored<State> explore(const State& start, Moves moves) {
    Explored<State> explored;
    std::set<State> seen{start};
    std::vector<State> open{start};
    std::vector<State> next;
    while (!open.empty()) {
        const State state = open.back();
        open.pop_back();
        ++explored.states;
        next.clear();
        moves(state, next);
        if (next.empty()) explored.ends.push_back(state);
        for (const State& each : next) {
            if (seen.insert(each).second) open.push_back(each);
        }
    }
    return explored;
}

}  // namespace hardwork::shm::testing
