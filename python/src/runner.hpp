// A Python worker: decodes a call, makes it, encodes what came of it.
#pragma once

#include <vector>

#include "codec.hpp"
#include "hardwork/worker.hpp"
#include "state.hpp"

namespace hardwork::py {

class PythonRunner final : public Runner {
  public:
    explicit PythonRunner(PyObject* initialize) : initialize_(initialize) {}
    ~PythonRunner() override;
    bool initialize(Output& out) override;
    void define(std::uint32_t function, std::span<const std::byte> code) override;
    Outcome run(const Invocation& call, PhaseMark& phase, Output& out) override;
    void before_sleep() override { thread_ = PyEval_SaveThread(); }
    void after_sleep() override { PyEval_RestoreThread(thread_); }
    void interrupted() override;

  private:
    // The call's return value, or nullptr with the Python error of decoding or running.
    PyObject* call(const Invocation& call, std::span<const std::byte> bytes, PhaseMark& phase, bool& skipped);
    PyObject* call_pickled(PyObject* fn, std::span<const std::byte> bytes, PhaseMark& phase);
    Outcome encode_result(PyObject* value, Output& out);
    void wrap_refusal(PyObject* value);
    Outcome encode_error(Output& out);

    PyObject* initialize_;              // borrowed
    Ref on_refusal_;                    // what it returned: makes the error of a result that cannot be encoded, or None
    std::vector<PyObject*> functions_;  // by number; owned
    std::vector<PyObject*> broken_;     // by number: why the function could not be decoded; owned
    Writer writer_;
    PyThreadState* thread_ = nullptr;
};

}  // namespace hardwork::py
