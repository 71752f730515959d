#include "map_reader.hpp"

#include "payload.hpp"

namespace hardwork::py {

namespace {

// What has come is decoded as much at a time, with the garbage collector held off: a list of a million small lists would
// else be walked again and again while it grows, for garbage that cannot be there.
constexpr std::size_t kMostAhead = 8192;
constexpr std::size_t kMostBytesAhead = std::size_t{1} << 20;

}  // namespace

MapReader::MapReader(const EngineRef& engine, Job* job, PyObject* errors, Face face)
    : engine_(engine), job_(job), errors_(Py_XNewRef(errors)), face_(face) {}

MapReader::~MapReader() {
    finish();
    clear();
}

void MapReader::end() {
    if (!turn_.taken()) {
        finish();
    } else if (job_ != nullptr) {
        // Whoever reads may sleep on the job, or be about to decode from its block.
        closing_ = true;
        engine_->cancel_rest(job_);
    }
}

void MapReader::fail(PyObject* error) {
    PyObject* old = std::exchange(failure_, error);
    Py_XDECREF(old);
}

void MapReader::let_go() {
    if (Job* job = std::exchange(job_, nullptr)) engine_->release_job(job);
}

void MapReader::finish() {
    Job* job = std::exchange(job_, nullptr);
    if (job == nullptr) return;
    engine_->cancel_rest(job);
    engine_->release_job(job);
    holds_ = false;
    block_ = ResultBlock{};
}

void MapReader::drop_ahead() {
    std::vector<PyObject*> rest;
    rest.swap(ahead_);
    for (std::size_t i = std::exchange(next_, 0); i < rest.size(); ++i)
        Py_DECREF(rest[i]);
}

int MapReader::traverse(visitproc visit, void* arg) const {
    Py_VISIT(errors_);
    Py_VISIT(failure_);
    for (std::size_t i = next_; i < ahead_.size(); ++i)
        Py_VISIT(ahead_[i]);
    return 0;
}

void MapReader::clear() {
    Py_CLEAR(errors_);
    Py_CLEAR(failure_);
    drop_ahead();
}

// Decodes what the block has in our own code, up to the first result that is anything else. That runs no Python code
// and keeps the GIL. False if the block is used up and nothing was decoded.
bool MapReader::decode_ahead() {
    ahead_.clear();
    next_ = 0;
    const int collects = PyGC_Disable();
    std::size_t bytes = 0;
    TaskResult result;
    while (ahead_.size() < kMostAhead && bytes < kMostBytesAhead && block_.next(result)) {
        const bool plain = result.ending == Ending::value && !result.bytes.empty() && result.bytes[0] == kCodec;
        PyObject* value = plain ? load_value(result.bytes) : nullptr;
        if (value == nullptr) {
            PyErr_Clear();  // it will be raised in its place
            held_ = result;
            holds_ = true;
            break;
        }
        bytes += result.bytes.size();
        ahead_.push_back(value);
    }
    if (collects == 1) PyGC_Enable();
    return !ahead_.empty() || holds_;
}

MapReader::Step MapReader::one(const TaskResult& result, PyObject*& object) {
    const std::uint64_t item = item_++;
    if (counts_ && job_ != nullptr) engine_->hand_out(job_, 1);
    if (result.ending == Ending::skipped && errors_ != nullptr) {
        if (PyList_Check(errors_)) {
            object = PyList_GET_SIZE(errors_) != 0 ? Py_NewRef(PyList_GET_ITEM(errors_, 0)) : nullptr;
            if (object != nullptr && PySequence_DelItem(errors_, 0) < 0) PyErr_Clear();
        } else {
            const Ref number(PyLong_FromUnsignedLongLong(item));
            object = number ? Py_XNewRef(PyDict_GetItemWithError(errors_, number.get())) : nullptr;
        }
        if (object != nullptr) return Step::error;
        PyErr_Clear();
    }
    bool is_error = false;
    object = decode_ending(*engine_, result, is_error, face_);
    return is_error ? Step::error : Step::value;
}

// The pool has ended or is broken: that is the outcome of all items that are left.
MapReader::Step MapReader::lost(PyObject*& object) {
    TaskResult result;
    result.ending = engine_->closed() == Errc::broken ? Ending::broken : Ending::cancelled;
    bool is_error = false;
    object = decode_ending(*engine_, result, is_error, face_);
    finish();
    return Step::error;
}

MapReader::Step MapReader::next(std::uint64_t deadline, PyObject*& object) {
    if ((object = at_hand()) != nullptr) return Step::value;
    if (const Waited taken = turn_.take(deadline); taken != Waited::done) {
        return taken == Waited::timeout ? Step::timeout : Step::raised;
    }
    const Step step = this->step(deadline, object);
    if (closing_) finish();
    turn_.give();
    return step;
}

MapReader::Step MapReader::step(std::uint64_t deadline, PyObject*& object) {
    for (;;) {
        if ((object = at_hand()) != nullptr) return Step::value;
        if (job_ == nullptr || closing_) return Step::end;
        if (std::exchange(holds_, false)) return one(held_, object);
        if (!engine_->in_owner_process()) {
            PyErr_SetString(PyExc_RuntimeError, "this map belongs to a pool of another process, not to a fork of it");
            return Step::raised;
        }
        if (decode_ahead()) continue;
        // Whoever reads a whole map stays here for long, and what a signal came together with is not an interruption
        // to the engine: at a Ctrl-C the workers answer in the same moment.
        if (deadline != 0 && PyErr_CheckSignals() < 0) return Step::raised;
        if (job_ == nullptr || closing_) continue;  // the handler may have ended it
        switch (engine_->next_block(job_, block_)) {
            case JobState::block: continue;
            case JobState::end:
                finish();
                object = std::exchange(failure_, nullptr);
                return object != nullptr ? Step::error : Step::end;
            case JobState::cancelled:
            case JobState::broken: return lost(object);
            case JobState::pending: break;
        }
        if (deadline == 0) return Step::timeout;
        const Waited waited = wait_for_block(engine_, job_, deadline);
        if (waited == Waited::timeout) return Step::timeout;
        if (waited == Waited::raised) return Step::raised;
    }
}

}  // namespace hardwork::py
