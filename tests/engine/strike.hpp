// Strikes at fault points: kills, stops or ends a worker (or its template) there. What is shared with those processes
// lies in memory that all of them map.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "engine_fixture.hpp"
#include "hardwork/fault.hpp"

namespace hardwork::test {

enum class Strike : std::uint32_t { kill, stop, segv, exit0 };

constexpr const char* name_of(Strike strike) {
    constexpr std::array names{"SIGKILL", "SIGSTOP", "SIGSEGV", "exit0"};
    return names[static_cast<std::size_t>(strike)];
}

constexpr const char* name_of(Role who) {
    constexpr std::array names{"parent", "template", "worker"};
    return names[static_cast<std::size_t>(who)];
}

#if HARDWORK_FAULT_POINTS

inline constexpr std::size_t kMostSites = 1024;
inline constexpr std::size_t kMostPids = 4096;
inline constexpr std::size_t kMostTemplates = 64;

struct Site {
    std::atomic<std::uint64_t> id;      // of the place and who passed it; 0: none
    std::atomic<std::uint32_t> passed;  // so often, ever
    std::atomic<std::uint32_t> struck;
    std::atomic<std::uint32_t> vain;  // there was nobody to strike
    std::atomic<std::uint32_t> role;  // Role
    std::atomic<std::uint32_t> line;
    char file[40];
};

struct Board {
    std::array<Site, kMostSites> sites;
    // What is wanted: that strike at that place, the hit-th time that it is passed from now on.
    std::atomic<std::uint64_t> armed;
    std::atomic<std::uint32_t> hit;
    std::atomic<std::uint32_t> strike;
    // Or: at any place, one time in `one_in`, until `strikes_left` is used up.
    std::atomic<std::uint32_t> one_in;
    std::atomic<std::int32_t> strikes_left;
    std::atomic<std::uint64_t> random;
    std::atomic<std::uint32_t> struck;  // so many strikes
    std::atomic<bool> parent_itself;    // in the parent it is the parent that is struck, and not a worker
    std::array<std::atomic<std::int32_t>, kMostTemplates> templates;
    std::atomic<std::uint32_t> templates_used;
    std::atomic<std::uint32_t> pids_used;
    std::array<std::atomic<std::int32_t>, kMostPids> pids;  // of workers, as they were forked
};

// A fork that makes a pool of its own has a board of its own.
inline Board* new_board() {
    return static_cast<Board*>(mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}
inline Board*& board() {
    static Board* shared = new_board();
    return shared;
}

inline std::uint64_t id_of(const fault::Where& where) {
    std::uint64_t id = 14695981039346656037U + static_cast<std::uint64_t>(role.load());
    const auto mix = [&id](std::uint64_t value) { id = (id ^ value) * 1099511628211U; };
    for (const char* at = where.file_name(); *at != 0; ++at)
        mix(static_cast<unsigned char>(*at));
    mix(where.line());
    mix(where.column());
    return id | 1;
}

// In a worker, or in a template, as soon as there is one.
inline void note_pid() {
    std::signal(SIGSEGV, SIG_DFL);  // a sanitizer would write a report at each strike, which takes it a second
    if (role == Role::zygote) {
        board()->templates[board()->templates_used.fetch_add(1) % kMostTemplates].store(getpid());
        return;
    }
    const std::uint32_t slot = board()->pids_used.fetch_add(1);
    if (slot < kMostPids) board()->pids[slot].store(getpid());
}

inline Site* note_site(std::uint64_t id, const fault::Where& where) {
    for (std::size_t i = 0; i < kMostSites; ++i) {
        Site& site = board()->sites[(id + i) % kMostSites];
        std::uint64_t none = 0;
        if (site.id.compare_exchange_strong(none, id)) {
            const std::string name = where.file_name();
            const std::string tail = name.substr(name.rfind('/') + 1);
            std::strncpy(site.file, tail.c_str(), sizeof site.file - 1);
            site.line.store(where.line());
            site.role.store(static_cast<std::uint32_t>(role.load()));
        } else if (none != id) {
            continue;
        }
        site.passed.fetch_add(1);
        return &site;
    }
    return nullptr;
}

// The worker that was forked last and lives; 0 if none does.
inline std::int32_t newest_worker() {
    std::uint32_t count = board()->pids_used.load();
    if (count > kMostPids) count = kMostPids;
    while (count-- > 0) {
        const std::int32_t pid = board()->pids[count].load();
        if (pid != 0 && kill(pid, 0) == 0) return pid;
    }
    return 0;
}

// Here, or from the parent's side on a worker.
inline bool carry_out(Strike strike, Site* site) {
    const bool on_worker = role == Role::parent && !board()->parent_itself.load();
    const std::int32_t victim = on_worker ? newest_worker() : getpid();
    if (victim == 0) {
        if (site != nullptr) site->vain.fetch_add(1);
        return false;
    }
    board()->struck.fetch_add(1);
    if (site != nullptr) site->struck.fetch_add(1);
    switch (strike) {
        case Strike::kill: kill(victim, SIGKILL); break;
        case Strike::stop: kill(victim, SIGSTOP); break;
        case Strike::segv: kill(victim, SIGSEGV); break;
        case Strike::exit0: on_worker ? static_cast<void>(kill(victim, SIGTERM)) : _exit(0);
    }
    return true;
}

inline void pass(const fault::Where& where) {
    Board& shared = *board();
    const std::uint64_t id = id_of(where);
    Site* const site = note_site(id, where);
    if (shared.armed.load() == id) {
        if (shared.hit.fetch_sub(1) != 1) return;
        // In vain: the next time, then.
        if (!carry_out(static_cast<Strike>(shared.strike.load()), site)) shared.hit.store(1);
        return;
    }
    const std::uint32_t one_in = shared.one_in.load();
    if (one_in == 0 || role == Role::zygote) return;
    // splitmix64, from a counter that all share.
    std::uint64_t random = shared.random.fetch_add(0x9e3779b97f4a7c15U);
    random = (random ^ (random >> 30)) * 0xbf58476d1ce4e5b9U;
    random = (random ^ (random >> 27)) * 0x94d049bb133111ebU;
    random ^= random >> 31;
    if (random % one_in != 0 || shared.strikes_left.fetch_sub(1) <= 0) return;
    carry_out(static_cast<Strike>((random >> 40) % 4), site);
}

// Who was stopped goes on.
inline void continue_all() {
    for (const auto& each : board()->templates) {
        if (const std::int32_t pid = each.load(); pid != 0) kill(pid, SIGCONT);
    }
    for (std::uint32_t i = 0; i < board()->pids_used.load() && i < kMostPids; ++i) {
        if (const std::int32_t pid = board()->pids[i].load(); pid != 0) kill(pid, SIGCONT);
    }
}

inline void disarm() {
    board()->armed.store(0);
    board()->one_in.store(0);
}

#endif

}  // namespace hardwork::test
