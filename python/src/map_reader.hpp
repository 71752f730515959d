// The results of a map, one after the other, as Python objects: what the iterators and map results of both faces read.
#pragma once

#include <vector>

#include "future.hpp"
#include "waiting.hpp"

namespace hardwork::py {

// Several threads may read; each result goes to one of them. GIL held in all methods.
class MapReader {
  public:
    enum class Step {
        value,    // the object
        error,    // the exception, not raised: of this item; or of all that is left, and then ended() is true
        end,      // there is no more
        timeout,  // not yet
        raised,   // a Python error that is nobody's result: a signal's handler, no memory
    };

    // Takes the job's handle. errors: exceptions of items that could not be encoded, a dict by number; a list where
    // results come in any order; nullptr if there are none.
    MapReader(const EngineRef& engine, Job* job, PyObject* errors, Face face);
    // From now on the engine is told of each result that is taken: somebody waits for that.
    void count_for_engine() { counts_ = true; }
    MapReader(const MapReader&) = delete;
    MapReader& operator=(const MapReader&) = delete;
    ~MapReader();

    // The next object if it is there already, decoded; else nullptr, without an error.
    PyObject* at_hand() {
        if (next_ == ahead_.size()) return nullptr;
        ++item_;
        if (counts_ && job_ != nullptr) engine_->hand_out(job_, 1);
        return ahead_[next_++];
    }
    Step next(std::uint64_t deadline, PyObject*& object);
    // What has not started never will be; what is under way is let go. A thread that is reading finds the end.
    void end();
    // The input has ended before its time: whoever comes to its end gets this. Takes the exception over.
    void fail(PyObject* error);
    // What is there goes on, also what has not started; nobody wants to know. For the last holder of the reader.
    void let_go();
    bool ended() const { return job_ == nullptr && next_ == ahead_.size(); }

    const EngineRef& engine() const { return engine_; }
    Job* job() const { return job_; }
    PyObject* errors() const { return errors_; }
    int traverse(visitproc visit, void* arg) const;
    void clear();

  private:
    bool decode_ahead();
    void drop_ahead();
    Step step(std::uint64_t deadline, PyObject*& object);
    Step one(const TaskResult& result, PyObject*& object);
    Step lost(PyObject*& object);
    void finish();

    EngineRef engine_;
    Job* job_;  // nullptr once it has ended
    PyObject* errors_;
    PyObject* failure_ = nullptr;
    const Face face_;
    std::uint64_t item_ = 0;  // number of the next result
    ResultBlock block_;
    std::vector<PyObject*> ahead_;  // decoded, not yet asked for, from next_ on
    std::size_t next_ = 0;
    TaskResult held_;  // comes after those, if holds_
    bool holds_ = false;
    bool counts_ = false;
    bool closing_ = false;  // end() was called while a thread reads
    Turn turn_;
};

}  // namespace hardwork::py
