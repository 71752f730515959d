// Draws the Mandelbrot set, some rows a task, and writes it as a PPM file. What a task draws is not copied on its way.
//
//   mandelbrot [--quick] [FILE]        prints one line; exit code 1 if the picture is not symmetric
#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
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

constexpr int kBandHeight = 16;

void draw_row(const Picture& picture, int y, std::span<Pixel> row) {
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
        row[static_cast<std::size_t>(x)] = colour(iterations, picture.most);
    }
}

// What a worker does: the picture travels once to each, a band's number in 8 bytes, and the band's pixels are read where
// the worker has drawn them.
hardwork::Buffer draw_band(const Picture& picture, int band) {
    const int first = band * kBandHeight;
    const int end = std::min(first + kBandHeight, picture.height);
    const auto width = static_cast<std::size_t>(picture.width);
    hardwork::Buffer drawn(static_cast<std::size_t>(end - first) * width * sizeof(Pixel));
    for (int y = first; y < end; ++y)
        draw_row(picture, y, drawn.as<Pixel>().subspan(static_cast<std::size_t>(y - first) * width, width));
    return drawn;
}

// Whether the upper half is the lower one, mirrored.
bool symmetric(const Picture& picture, const std::vector<hardwork::Buffer>& bands) {
    std::vector<std::span<const Pixel>> rows;
    const auto width = static_cast<std::size_t>(picture.width);
    for (const hardwork::Buffer& band : bands) {
        for (auto left = band.as<Pixel>(); !left.empty(); left = left.subspan(width))
            rows.push_back(left.first(width));
    }
    return std::equal(rows.begin(), rows.end(), rows.rbegin(),
                      [](const auto& a, const auto& b) { return std::equal(a.begin(), a.end(), b.begin()); });
}

}  // namespace

int main(int argc, char** argv) {
    const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
    const char* const file = argc > (quick ? 2 : 1) ? argv[argc - 1] : nullptr;
    const Picture picture{quick ? 192 : 1920, quick ? 160 : 1600, quick ? 100 : 1000};

    hardwork::ProcessPool pool;
    const int count = (picture.height + kBandHeight - 1) / kBandHeight;
    std::vector<hardwork::Buffer> bands;
    for (hardwork::Buffer& band : pool.map(hardwork::bound(draw_band, picture), hardwork::range(0, count)))
        bands.push_back(std::move(band));

    if (file != nullptr) {
        std::FILE* out = std::fopen(file, "wb");
        if (out == nullptr) {
            std::perror(file);
            return 2;
        }
        std::fprintf(out, "P6\n%d %d\n255\n", picture.width, picture.height);
        for (const hardwork::Buffer& band : bands)
            std::fwrite(band.data(), 1, band.size(), out);
        std::fclose(out);
    }
    const bool fine = symmetric(picture, bands);
    std::printf("%d rows of %d pixels, by %d workers%s\n", picture.height, picture.width, pool.workers(),
                fine ? "" : ", which are NOT symmetric");
    return fine ? 0 : 1;
}
