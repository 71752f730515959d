#include "os/image.hpp"

#include <link.h>

namespace hardwork::os {

namespace {

struct Image {
    std::uintptr_t base = 0;
    std::uintptr_t begin = ~std::uintptr_t{0};
    std::uintptr_t end = 0;
};

// The first one is the program: dl_iterate_phdr(3).
int take_first(dl_phdr_info* info, std::size_t /*size*/, void* to) {
    Image& image = *static_cast<Image*>(to);
    image.base = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const auto& segment = info->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD) continue;
        const std::uintptr_t begin = image.base + segment.p_vaddr;
        if (begin < image.begin) image.begin = begin;
        if (begin + segment.p_memsz > image.end) image.end = begin + segment.p_memsz;
    }
    return 1;
}

const Image& image() {
    static const Image found = [] {
        Image one;
        dl_iterate_phdr(&take_first, &one);
        return one;
    }();
    return found;
}

}  // namespace

std::uintptr_t program_base() { return image().base; }

bool in_program(std::uintptr_t address) { return address >= image().begin && address < image().end; }

}  // namespace hardwork::os
