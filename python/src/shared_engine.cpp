#include "shared_engine.hpp"

namespace hardwork::py {

namespace {

struct SharedEngine {
    EngineRef engine;  // first: an EngineRef* is a SharedEngine*
    Py_ssize_t holders = 0;
};

SharedEngine* last_shared = nullptr;

}  // namespace

EngineRef* share(const EngineRef& engine) {
    if (last_shared == nullptr || last_shared->engine != engine) {
        last_shared = new SharedEngine{engine, 0};
    }
    ++last_shared->holders;
    return &last_shared->engine;
}

void unshare(EngineRef* engine) {
    auto* shared = reinterpret_cast<SharedEngine*>(engine);
    if (--shared->holders > 0) return;
    if (last_shared == shared) last_shared = nullptr;
    delete shared;
}

}  // namespace hardwork::py
