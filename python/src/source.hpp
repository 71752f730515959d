// The parent's side of births and notices as the engine sees them: Python objects behind C++ interfaces.
#pragma once

#include <atomic>

#include "hardwork/births.hpp"
#include "state.hpp"

namespace hardwork::py {

// Calls the Python object's start_template and start_worker, with the GIL, from whatever thread.
class PythonSource final : public WorkerSource {
  public:
    PythonSource(PyObject* source, bool uses_template) : source_(Py_NewRef(source)), uses_template_(uses_template) {}
    ~PythonSource() override;
    bool uses_template() const override { return uses_template_; }
    int start_template(int channel_fd, std::int32_t& pid) override;
    int start_worker(const WorkerSetup& setup, std::int32_t& pid) override;

  private:
    PyObject* source_;
    bool uses_template_;
};

// Futures that somebody subscribed to: told with the GIL, on the engine's collector thread.
class FutureEvents final : public EngineEvents {
  public:
    void on_done(std::span<void* const> cookies) override;
    // Whether this very thread runs callbacks of the pool: it must not wait for the pool's end, since it makes it.
    bool announces() const { return announcer_.load(std::memory_order_relaxed) == PyThread_get_thread_ident(); }

  private:
    std::atomic<unsigned long> announcer_{0};
};

}  // namespace hardwork::py
