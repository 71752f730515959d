// Which functions an executor has sent to its engine, so that each travels once per worker.
#pragma once

#include <unordered_map>

#include "state.hpp"

namespace hardwork::py {

class Functions {
  public:
    // The engine's number of fn; 0 if it must travel with each call (its state may change between calls).
    // False with a Python error: the function cannot travel at all.
    bool number_of(PyObject* fn, Engine& engine, std::uint32_t& number);
    void clear(Engine* engine);
    int traverse(visitproc visit, void* arg) const;
    // How `__main__` looks in workers: functions of it travel by name or by value.
    const char* start_method = nullptr;

  private:
    struct Known {
        PyObject* fn;           // owned, so that its address stays its own
        PyObject* fingerprint;  // owned; nullptr: travels by reference and needs no check
        std::uint32_t number;
    };
    PyObject* ask(PyObject* helper, PyObject* fn) const;
    bool add(PyObject* fn, Engine& engine, std::uint32_t& number);

    std::unordered_map<PyObject*, Known> known_;
    PyObject* last_ = nullptr;  // borrowed from known_: the same function again and again
    std::uint32_t last_number_ = 0;
};

}  // namespace hardwork::py
