// A small server on loopback that keeps texts by key. What is expensive, or may crash, runs in the workers of a pool, with
// a time limit; the server itself only stores and forwards. One line is one request:
//
//   SET key text      GET key      DIGEST key rounds (in a worker)      CRASH (in a worker)
//
//   kv_service PORT   serves until it is killed
//   kv_service        serves itself a few requests; exit code 1 if an answer is wrong
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "hardwork/hardwork.hpp"

namespace {

using namespace std::chrono_literals;

// Run in workers.
std::string digest(const std::string& text, std::uint64_t rounds) {
    std::uint64_t hash = 14695981039346656037U;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        for (const char letter : text)
            hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211U;
        if (round % 1000 == 0) hardwork::this_task::throw_if_stopped();
    }
    return std::to_string(hash);
}
std::string crash() { std::abort(); }

class Service {
  public:
    std::string answer(const std::string& line) {
        std::istringstream in(line);
        std::string command;
        std::string key;
        in >> command >> key;
        if (command == "SET") {
            std::string text;
            std::getline(in >> std::ws, text);
            const std::lock_guard hold(lock_);
            texts_[key] = text;
            return "OK";
        }
        if (command == "CRASH") return told(hurried_.submit(crash));
        const auto text = find(key);
        if (!text) return "ERROR no such key";
        if (command == "GET") return *text;
        std::uint64_t rounds = 0;
        if (command == "DIGEST" && in >> rounds) return told(hurried_.submit(digest, *text, rounds));
        return "ERROR no such request";
    }

  private:
    static std::string told(hardwork::Future<std::string> future) {
        auto result = future.try_get();
        return result ? *result : "ERROR " + result.error().what();
    }
    std::optional<std::string> find(const std::string& key) {
        const std::lock_guard hold(lock_);
        const auto found = texts_.find(key);
        return found != texts_.end() ? std::optional(found->second) : std::nullopt;
    }

    hardwork::ProcessPool pool_;
    hardwork::PoolView hurried_ = pool_.with({.timeout = 2s});
    std::mutex lock_;
    std::map<std::string, std::string> texts_;
};

void serve(Service& service, int connection) {
    std::string waiting;
    char part[4096];
    for (ssize_t size; (size = read(connection, part, sizeof part)) > 0;) {
        waiting.append(part, static_cast<std::size_t>(size));
        for (std::size_t end; (end = waiting.find('\n')) != std::string::npos; waiting.erase(0, end + 1)) {
            const std::string answer = service.answer(waiting.substr(0, end)) + "\n";
            if (send(connection, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
        }
    }
    close(connection);
}

int listen_on(std::uint16_t& port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    const int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (door < 0 || bind(door, any, size) != 0 || listen(door, 16) != 0 || getsockname(door, any, &size) != 0) {
        std::perror("kv_service");
        std::exit(2);
    }
    port = ntohs(address.sin_port);
    return door;
}

std::string ask(std::uint16_t port, const std::string& line) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::string answer;
    if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
        send(connection, (line + "\n").data(), line.size() + 1, MSG_NOSIGNAL) > 0) {
        for (char letter; read(connection, &letter, 1) == 1 && letter != '\n';)
            answer += letter;
    }
    close(connection);
    std::printf("%s -> %s\n", line.c_str(), answer.c_str());
    return answer;
}

bool begins(const std::string& text, const std::string& with) { return text.rfind(with, 0) == 0; }

}  // namespace

int main(int argc, char** argv) {
    hardwork::Template::prepare();                         // there will be a thread for each connection
    const int wanted = argc > 1 ? std::atoi(argv[1]) : 0;  // 0 of anything that is no number: a free one
    auto port = static_cast<std::uint16_t>(wanted);
    const int door = listen_on(port);
    static Service service;
    const auto accept_all = [door] {
        for (;;) {
            const int connection = accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection >= 0) std::thread(serve, std::ref(service), connection).detach();
        }
    };
    if (wanted != 0) accept_all();
    std::thread(accept_all).detach();

    int wrong = 0;
    wrong += ask(port, "SET greeting hello, world") == "OK" ? 0 : 1;
    wrong += ask(port, "GET greeting") == "hello, world" ? 0 : 1;
    wrong += begins(ask(port, "DIGEST greeting 1"), "ERROR") ? 1 : 0;
    wrong += begins(ask(port, "DIGEST greeting 1000000000000"), "ERROR the task ran longer") ? 0 : 1;
    wrong += begins(ask(port, "CRASH"), "ERROR worker") ? 0 : 1;
    wrong += ask(port, "GET greeting") == "hello, world" ? 0 : 1;
    wrong += begins(ask(port, "GET nothing"), "ERROR") ? 0 : 1;
    std::printf("%d wrong answers\n", wrong);
    std::fflush(stdout);
    _exit(wrong == 0 ? 0 : 1);  // connections may still have their threads
}
