#include "command/words.hpp"

#include <algorithm>
#include <cstddef>

#include "os/launch.hpp"

namespace hardwork::command {

namespace {

constexpr std::string_view kPlace = "{}";

std::string replaced(const std::string& word, const std::string& by) {
    std::string whole;
    std::size_t from = 0;
    for (std::size_t at; (at = word.find(kPlace, from)) != std::string::npos; from = at + kPlace.size()) {
        whole.append(word, from, at - from);
        whole += by;
    }
    return whole.append(word, from);
}

bool is_blank(char letter) { return letter == ' ' || letter == '\t' || letter == '\n'; }

}  // namespace

std::optional<std::vector<std::string>> split_words(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool any = false;  // '' is a word too
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char letter = text[i];
        if (is_blank(letter)) {
            if (any) words.push_back(std::move(word));
            word.clear();
            any = false;
            continue;
        }
        any = true;
        if (letter == '\\') {
            if (++i == text.size()) return std::nullopt;
            word += text[i];
        } else if (letter == '\'' || letter == '"') {
            for (++i; i < text.size() && text[i] != letter; ++i) {
                const bool escape = letter == '"' && text[i] == '\\' && i + 1 < text.size() &&
                                    (text[i + 1] == '"' || text[i + 1] == '\\');
                word += text[escape ? ++i : i];
            }
            if (i == text.size()) return std::nullopt;
        } else {
            word += letter;
        }
    }
    if (any) words.push_back(std::move(word));
    return words;
}

std::optional<CommandLine> CommandLine::direct(std::string_view command, std::string& why) {
    auto words = split_words(command);
    if (!words || words->empty()) {
        why = words ? "--exec has no command" : "--exec: a quote is open at its end";
        return std::nullopt;
    }
    if (words->front().find(kPlace) != std::string::npos) {
        why = "--exec: what is started cannot be {}; --shell can do that";
        return std::nullopt;
    }
    const auto path = os::find_program(words->front());
    if (!path) {
        why = "--exec: there is no program " + words->front();
        return std::nullopt;
    }
    CommandLine line;
    line.path_ = *path;
    line.words_ = std::move(*words);
    line.fixed_ = std::ranges::none_of(line.words_, [](const auto& word) { return word.find(kPlace) != word.npos; });
    return line;
}

std::optional<CommandLine> CommandLine::shell(std::string_view command, std::string& why) {
    const auto path = os::find_program("sh");
    if (!path) {
        why = "--shell: there is no program sh";
        return std::nullopt;
    }
    CommandLine line;
    line.path_ = *path;
    // The line is never a part of the script: what stands in it is not run.
    line.words_ = {"sh", "-c", replaced(std::string(command), "\"$1\""), "sh"};
    line.fixed_ = true;
    return line;
}

char* const* CommandLine::arguments(const std::string& line) {
    const auto add = [this](const std::string& word) { pointers_.push_back(const_cast<char*>(word.c_str())); };
    pointers_.clear();
    if (fixed_) {
        for (const std::string& word : words_)
            add(word);
        add(line);
    } else {
        filled_.clear();
        for (const std::string& word : words_)
            filled_.push_back(replaced(word, line));
        for (const std::string& word : filled_)
            add(word);
    }
    pointers_.push_back(nullptr);
    return pointers_.data();
}

}  // namespace hardwork::command
