// Results on one side, input on the other: a thread may feed it while others read.
#include "imap.hpp"

#include <algorithm>

#include "item_chunk.hpp"
#include "managed_dict.hpp"
#include "map_input.hpp"
#include "map_reader.hpp"

namespace hardwork::py {

namespace {

// How far the input runs ahead of the workers: long enough that they never wait for it, and no more than that, since an
// iterable may be endless or its items large. In items and in bytes; but never fewer than two items a worker.
constexpr std::uint64_t kUnbounded = ~std::uint64_t{0};
constexpr std::uint64_t kMostItems = 1 << 16;
constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;

// Code that we do not know may block until an item that it has yielded is worked on, so no item waits here for the next:
// it is sent when the source is slow, or when it has waited so long; and if the source blocks, which it cannot without
// letting the GIL go, the engine's collector sends it.
constexpr std::uint64_t kSlowNs = 20'000;
constexpr std::uint64_t kLongestNs = 100'000;

struct Feed {
    EngineRef engine;
    Job* job = nullptr;      // a handle of its own; nullptr once the input has ended
    PyObject* fn = nullptr;  // travels with each item; nullptr: the workers have it
    std::uint64_t least = 1;
    std::uint32_t row = 0;  // items that stay together
    std::uint64_t items = 0;
    std::uint64_t bytes = 0;
    ItemChunk chunk;
    // Of a source that we do not know:
    std::uint64_t since = 0;  // when the oldest item in the chunk came
    bool adding = false;      // an item is being encoded, which may run Python code
    bool announced = false;   // the engine's collector will look at the chunk
    bool overdue = false;     // it has, while an item was being added
};

struct IMap {
    MapReader* reader;
    Feed* feed;
};

Py_ssize_t imap_offset = 0;

IMap& fields(PyObject* self) { return *reinterpret_cast<IMap*>(reinterpret_cast<char*>(self) + imap_offset); }

// No more input will come.
void end_feed(Feed& feed) {
    Job* job = std::exchange(feed.job, nullptr);
    if (job == nullptr) return;
    if (feed.engine->in_owner_process()) feed.engine->seal(job);
    feed.engine->release_job(job);
}

int imap_traverse(PyObject* self, visitproc visit, void* arg) {
    IMap& own = fields(self);
    Py_VISIT(Py_TYPE(self));
    if (own.feed != nullptr) Py_VISIT(own.feed->fn);
    if (own.reader != nullptr) {
        if (const int stop = own.reader->traverse(visit, arg); stop != 0) return stop;
    }
    return visit_attributes(self, visit, arg);
}

int imap_clear(PyObject* self) {
    if (fields(self).reader != nullptr) fields(self).reader->clear();
    clear_attributes(self);
    return 0;
}

// Dropped: what was handed in is run all the same, as with the original.
void imap_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    IMap& own = fields(self);
    if (own.reader != nullptr) own.reader->let_go();
    if (own.feed != nullptr) {
        end_feed(*own.feed);
        Py_XDECREF(own.feed->fn);
    }
    delete own.reader;
    delete own.feed;
    clear_attributes(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

PyObject* take(PyObject* self, std::uint64_t deadline) {
    MapReader& reader = *fields(self).reader;
    PyObject* object = reader.at_hand();
    if (object != nullptr) [[likely]]
        return object;
    const Ref alive = Ref::borrow(self);
    switch (reader.next(deadline, object)) {
        case MapReader::Step::value: return object;
        case MapReader::Step::end:
        case MapReader::Step::raised: return nullptr;
        case MapReader::Step::timeout: PyErr_SetNone(state.timeout_error); return nullptr;
        case MapReader::Step::error: break;
    }
    const Ref error(object);  // in its place; the next call goes on with the next item
    if (error) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
    return nullptr;
}

PyObject* imap_iternext(PyObject* self) { return take(self, kNoDeadline); }

PyObject* imap_next(PyObject* self, PyObject* args, PyObject* kwargs) {
    static const char* names[] = {"timeout", nullptr};
    PyObject* timeout = Py_None;
    std::uint64_t deadline;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:next", const_cast<char**>(names), &timeout) ||
        !deadline_of(timeout, deadline)) {
        return nullptr;
    }
    PyObject* object = take(self, deadline);
    if (object == nullptr && !PyErr_Occurred()) PyErr_SetNone(PyExc_StopIteration);
    return object;
}

// The exception belongs to the item that has just been added as nothing.
bool keep_error(IMap& own) {
    PyObject* errors = own.reader->errors();
    const Ref error(take_error());
    if (!error || errors == nullptr) return error && errors == nullptr;  // nobody will read it
    if (PyList_Check(errors)) return PyList_Append(errors, error.get()) == 0;
    const Ref number(PyLong_FromUnsignedLongLong(own.feed->items));
    return number && PyDict_SetItem(errors, number.get(), error.get()) == 0;
}

// One item of the source into the chunk. 1: added; 0: the source has ended, perhaps with an exception, which then stands
// in the next item's place; -1: a Python error.
int add_next(IMap& own, PyObject* source) {
    Feed& feed = *own.feed;
    const Ref item(PyIter_Next(source));
    if (!item) {
        if (!PyErr_Occurred()) return 0;
        if (!PyErr_ExceptionMatches(PyExc_Exception)) return -1;
        if (!keep_error(own) || !feed.chunk.add_nothing()) return -1;
        ++feed.items;
        return 0;
    }
    PyObject* only = item.get();
    feed.adding = true;
    const ItemChunk::Added added = feed.chunk.add(feed.fn, &only, 1);
    feed.adding = false;
    switch (added) {
        case ItemChunk::Added::yes: break;
        case ItemChunk::Added::refused:
            if (!keep_error(own)) return -1;
            break;
        case ItemChunk::Added::failed: return -1;
    }
    ++feed.items;
    return 1;
}

bool send(Feed& feed) {
    feed.since = 0;
    if (feed.chunk.empty()) return true;
    feed.bytes += feed.chunk.size();
    if (feed.chunk.send(*feed.engine, feed.job)) return true;
    if (!has_stopped(*feed.engine)) return false;
    PyErr_Clear();  // no memory is left since nobody wants the items
    feed.chunk.clear();
    return true;
}

// A thread has nobody to raise the Python error to. Who reads the results gets it, behind those of the items before.
void hand_error_to_reader(IMap& own) {
    Ref error(take_error());
    if (!send(*own.feed)) PyErr_Clear();  // results are missing, but not without an error
    own.reader->fail(error.release());
}

Bounds bounds_of(const Feed& feed, std::uint64_t buffer) {
    Bounds bounds;
    const std::uint64_t each = feed.items == 0 ? 1 : std::max<std::uint64_t>(feed.bytes / feed.items, 1);
    bounds.unfinished = std::max(std::min(kMostItems, kMostBytes / each), feed.least) - 1;
    bounds.unread = buffer - 1;
    return bounds;
}

enum class Fed { more, all, failed };

// Whether the chunk, to which an item was added `took` ns after the one before, may still wait.
bool may_gather(PyObject* self, std::uint64_t now, std::uint64_t took) {
    Feed& feed = *fields(self).feed;
    if (!feed.chunk.even(feed.row)) return true;  // the rest of the row is there already
    if (std::exchange(feed.overdue, false) || feed.chunk.full() || took > kSlowNs) return false;
    if (feed.since == 0) {
        feed.since = now;
        if (!feed.announced) {
            feed.announced = feed.engine->notify(Py_NewRef(self));
            if (!feed.announced) Py_DECREF(self);
        }
        return feed.announced;
    }
    return now - feed.since < kLongestNs;
}

// Takes items from the source until it ends, no more are wanted, or (unless it may wait) there is no room.
Fed feed_from(PyObject* self, PyObject* source, bool in_batches, bool may_wait, std::uint64_t buffer) {
    IMap& own = fields(self);
    Feed& feed = *own.feed;
    std::uint64_t before = monotonic_ns();
    for (;;) {
        if (feed.chunk.empty()) {
            Bounds bounds = bounds_of(feed, buffer);
            Room room = feed.engine->room(feed.job, bounds);
            if (room == Room::full) {
                if (!may_wait) return Fed::more;
                bounds.unfinished /= 2;  // not woken for each item
                Py_BEGIN_ALLOW_THREADS feed.engine->wait_room(feed.job, bounds);
                Py_END_ALLOW_THREADS before = monotonic_ns();
                continue;
            }
            if (room == Room::unwanted) return Fed::all;
        }
        const int added = add_next(own, source);
        if (added < 0) return Fed::failed;
        bool gather = added != 0 && buffer == kUnbounded;
        if (gather && in_batches) {
            gather = !feed.chunk.full_for(feed.row);
        } else if (gather) {
            const std::uint64_t now = monotonic_ns();
            gather = may_gather(self, now, now - std::exchange(before, now));
        }
        if (!gather && !send(feed)) return Fed::failed;
        if (added == 0) return Fed::all;
    }
}

// _feed(source, in_batches, may_wait, buffer): False if there was no room for all of it.
PyObject* imap_feed(PyObject* self, PyObject* args) {
    PyObject* source;
    int in_batches;
    int may_wait;
    unsigned long long buffer;
    if (!PyArg_ParseTuple(args, "OppK:_feed", &source, &in_batches, &may_wait, &buffer)) return nullptr;
    IMap& own = fields(self);
    if (own.feed->job == nullptr) Py_RETURN_TRUE;
    if (buffer != kUnbounded) own.reader->count_for_engine();
    switch (feed_from(self, source, in_batches != 0, may_wait != 0, buffer)) {
        case Fed::more: Py_RETURN_FALSE;
        case Fed::all: end_feed(*own.feed); Py_RETURN_TRUE;
        case Fed::failed: break;
    }
    if (may_wait != 0) {
        hand_error_to_reader(own);
        end_feed(*own.feed);
        Py_RETURN_TRUE;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    fields(self).reader->end();
    end_feed(*own.feed);
    PyErr_Restore(type, value, traceback);
    return nullptr;
}

// _feed_range(start, step, count): False if the function travels with each item, and so must the numbers.
PyObject* imap_feed_range(PyObject* self, PyObject* args) {
    long long start;
    long long step;
    unsigned long long count;
    if (!PyArg_ParseTuple(args, "LLK:_feed_range", &start, &step, &count)) return nullptr;
    Feed& feed = *fields(self).feed;
    if (feed.fn != nullptr) Py_RETURN_FALSE;
    add_range(*feed.engine, feed.job, start, step, count);
    end_feed(feed);
    Py_RETURN_TRUE;
}

PyMethodDef methods[] = {
    {"next", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(imap_next)), METH_VARARGS | METH_KEYWORDS,
     "next($self, /, timeout=None)\n--\n\nThe next result, waited for at most `timeout` seconds (None: as long as it "
     "takes).\n\nRaises multiprocessing.TimeoutError, StopIteration after the last one, or what the call raised; after "
     "an\nexception it goes on with the next item."},
    {"_feed", imap_feed, METH_VARARGS, nullptr},
    {"_feed_range", imap_feed_range, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

void send_gathered(PyObject* self) {
    Feed& feed = *fields(self).feed;
    feed.announced = false;
    if (feed.adding || !feed.chunk.even(feed.row)) {
        feed.overdue = true;
    } else if (feed.job != nullptr && !send(feed)) {
        PyErr_WriteUnraisable(self);
    }
    Py_DECREF(self);
}

PyObject* new_imap(PyObject* core, PyObject* fn, const JobOptions& options, int workers) {
    std::uint32_t function;
    Job* job = start_empty(core, fn, options, function);
    if (job == nullptr) return nullptr;
    const EngineRef engine = core_of(core)->engine;
    const Ref errors(options.ordered ? PyDict_New() : PyList_New(0));
    PyObject* self = errors ? allocate_untracked(state.imap_type) : nullptr;
    if (self == nullptr) {
        engine->cancel_rest(job);
        engine->release_job(job);
        return nullptr;
    }
    IMap& own = fields(self);
    own.reader = new MapReader(engine, job, errors.get(), Face::pool);
    own.feed = new Feed;
    own.feed->engine = engine;
    own.feed->least = 2 * static_cast<std::uint64_t>(workers) + 1;
    own.feed->row = options.most_in_row;
    if (function == 0) own.feed->fn = Py_NewRef(fn);
    engine->hold_job(job);
    own.feed->job = job;
    track(self);
    return self;
}

int make_imap_type(PyObject* module) {
    auto* base = reinterpret_cast<PyTypeObject*>(state.base_imap);
    constexpr Py_ssize_t alignment = alignof(IMap);
    imap_offset = (base->tp_basicsize + alignment - 1) / alignment * alignment;
    PyType_Slot slots[] = {
        {Py_tp_doc, const_cast<char*>("The results of Pool.imap or imap_unordered; a "
                                      "multiprocessing.pool.IMapIterator.")},
        {Py_tp_dealloc, reinterpret_cast<void*>(imap_dealloc)},
        {Py_tp_traverse, reinterpret_cast<void*>(imap_traverse)},
        {Py_tp_clear, reinterpret_cast<void*>(imap_clear)},
        {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
        {Py_tp_iternext, reinterpret_cast<void*>(imap_iternext)},
        {Py_tp_methods, methods},
        {0, nullptr},
    };
    PyType_Spec spec = {"hardwork._engine.IMapIterator", static_cast<int>(imap_offset) + static_cast<int>(sizeof(IMap)),
                        0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
    PyObject* type = PyType_FromSpecWithBases(&spec, state.base_imap);
    if (type == nullptr) return -1;
    state.imap_type = reinterpret_cast<PyTypeObject*>(type);
    without_inline_attributes(state.imap_type);
    return PyModule_AddObjectRef(module, "IMapIterator", type);
}

}  // namespace hardwork::py
