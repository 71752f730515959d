// Draws the Mandelbrot set, a row a task, and writes it as a PPM file.
//
//   mandelbrot [--quick] [FILE]        prints one line; exit code 1 if the picture is not symmetric
#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "hardwork/hardwork.hpp"

namespace {

struct Picture {
    int width = 0;
    int height = 0;
    int most = 0;  // iterations
};

using Pixel = std::array<std::uint8_t, 3>;

Pixel colour(int iterations, int most) {
    if (iterations == most) return {0, 0, 0};
    const int shade = iterations * 255 / most;
    const auto byte = [](int value) { return static_cast<std::uint8_t>(std::min(value, 255)); };
    return {byte(shade * 8), byte(shade * 3), byte(64 + shade * 2)};
}

// What a worker does: the picture travels once to each, a row's number in 8 bytes, and its pixels come back.
std::vector<Pixel> draw_row(const Picture& picture, int y) {
    std::vector<Pixel> row;
    row.reserve(static_cast<std::size_t>(picture.width));
    // The middle of the row, so that the rows lie symmetric to the axis.
    const double imaginary = (2 * y + 1 - picture.height) * 1.25 / picture.height;
    for (int x = 0; x < picture.width; ++x) {
        const std::complex<double> c(-2.25 + 3.0 * x / picture.width, imaginary);
        std::complex<double> z;
        int iterations = 0;
        while (iterations < picture.most && std::norm(z) < 4.0) {
            z = z * z + c;
            ++iterations;
        }
        row.push_back(colour(iterations, picture.most));
    }
    return row;
}

}  // namespace

int main(int argc, char** argv) {
    const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
    const char* const file = argc > (quick ? 2 : 1) ? argv[argc - 1] : nullptr;
    const Picture picture{quick ? 192 : 1920, quick ? 160 : 1600, quick ? 100 : 1000};

    hardwork::ProcessPool pool;
    std::vector<std::vector<Pixel>> rows;
    for (auto& row : pool.map(hardwork::bound(draw_row, picture), hardwork::range(0, picture.height)))
        rows.push_back(std::move(row));

    if (file != nullptr) {
        std::FILE* out = std::fopen(file, "wb");
        if (out == nullptr) {
            std::perror(file);
            return 2;
        }
        std::fprintf(out, "P6\n%d %d\n255\n", picture.width, picture.height);
        for (const auto& row : rows)
            std::fwrite(row.data(), sizeof(Pixel), row.size(), out);
        std::fclose(out);
    }
    const bool symmetric = std::equal(rows.begin(), rows.end(), rows.rbegin());
    std::printf("%zu rows of %d pixels, by %d workers%s\n", rows.size(), picture.width, pool.workers(),
                symmetric ? "" : ", which are NOT symmetric");
    return symmetric ? 0 : 1;
}
