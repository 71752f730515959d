#include "os/library.hpp"

#include <dlfcn.h>

namespace hardwork::os {

LoadedFunction load_function(const std::string& library, const std::string& name, std::string& why) {
    void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* symbol = handle != nullptr ? dlsym(handle, name.c_str()) : nullptr;
    if (symbol == nullptr) {
        const char* told = dlerror();
        why = told != nullptr ? told : library + ": " + name + " has no address";
        return nullptr;
    }
    return reinterpret_cast<LoadedFunction>(symbol);
}

}  // namespace hardwork::os
