// The attributes of an instance whose base class was written in Python: where they are differs from version to version.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace hardwork::py {

inline int visit_attributes(PyObject* self, visitproc visit, void* arg) {
#if PY_VERSION_HEX >= 0x030D0000
    return PyObject_VisitManagedDict(self, visit, arg);
#elif PY_VERSION_HEX >= 0x030C0000
    return _PyObject_VisitManagedDict(self, visit, arg);
#else
    // 3.11 keeps the dict in front of the object and has no function that visits it without making it.
    Py_VISIT(reinterpret_cast<PyObject**>(self)[-3]);
    return 0;
#endif
}

inline void clear_attributes(PyObject* self) {
#if PY_VERSION_HEX >= 0x030D0000
    PyObject_ClearManagedDict(self);
#elif PY_VERSION_HEX >= 0x030C0000
    _PyObject_ClearManagedDict(self);
#else
    Py_CLEAR(reinterpret_cast<PyObject**>(self)[-3]);
#endif
}

// From 3.14 on every instance would carry room for attributes that hardly any gets: 16 bytes. They go to a dictionary,
// made when the first one is set, as before 3.13. Before the first instance exists, so nothing relies on the flag.
inline void without_inline_attributes([[maybe_unused]] PyTypeObject* type) {
#ifdef Py_TPFLAGS_INLINE_VALUES
    type->tp_flags &= ~static_cast<unsigned long>(Py_TPFLAGS_INLINE_VALUES);
    PyType_Modified(type);
#endif
}

// From now on the garbage collector must know it.
inline void track(PyObject* self) {
    if (PyObject_GC_IsTracked(self) == 0) PyObject_GC_Track(self);
}

// The memory of an instance, zeroed, not yet known to the collector.
inline PyObject* allocate_untracked(PyTypeObject* type) {
    PyObject* self = _PyObject_GC_New(type);
    if (self == nullptr) return nullptr;
    char* behind = reinterpret_cast<char*>(self) + sizeof(PyObject);
    for (Py_ssize_t i = 0; i < type->tp_basicsize - static_cast<Py_ssize_t>(sizeof(PyObject)); ++i)
        behind[i] = 0;
    return self;
}

}  // namespace hardwork::py
