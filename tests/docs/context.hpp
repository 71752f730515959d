// What the snippets of the documents leave to the reader.
#pragma once

#include <hardwork/plugin.h>
#include <hardwork/hardwork.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

extern hardwork::ProcessPool pool;

double risky(int number, const std::string& name);
std::vector<int> factorize(int n);
template <class T>
void use(const T& value);
int work(int x);
int twice(int x);

struct Pixel {
    std::uint8_t red, green, blue;
};
struct Scene {
    std::string name;
};
inline auto hardwork_fields(Scene& scene) { return std::tie(scene.name); }
extern Scene scene;
void draw(const Scene& scene, std::span<Pixel> pixels);
void show(std::span<const Pixel> pixels);
hardwork::Buffer render(const Scene& scene, int width, int height);

using Dictionary = std::map<std::string, int>;
extern Dictionary dictionary;
extern std::vector<std::string> lines;
int count(const Dictionary& words, const std::string& line);

struct Plan {
    int quality;
};
extern Plan plan;
bool improve(Plan& plan);

struct Application {};
extern Application the_application;
void start_the_threads_of(Application& application);

void report(const hardwork::Failure& failure);
