// A map: its items in chunks (one input each), cut into spans that lanes work on, and the results in order.
//
//   Job --- Chunk (input bytes, items [0, count)) --- SpanWork [next_result, end) on a lane or in the backlog
//    \--- Piece (results from item `first` on, in order) <--- each SpanWork fills one; the reader takes them in order
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "hardwork/engine.hpp"
#include "shm/request.hpp"

namespace hardwork {

struct LargeResult;

struct Chunk {
    Input input;
    std::uint64_t base = 0;  // number of its first item in the whole map
    std::uint32_t count = 0;
    std::uint32_t next = 0;  // first item not yet in any span
    std::uint32_t unfinished = 0;
};

// Results as they lie in a block: this, then `length` bytes, padded to 8.
struct ItemHeader {
    std::uint32_t length;
    Ending ending;
    std::uint8_t large;  // the payload is a LargeResult*
    std::uint16_t unused;
};

struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    std::size_t capacity = 0;
    std::uint64_t count = 0;
    bool has_large = false;
};

struct Piece {
    std::uint64_t received = 0;  // items that have come
    std::uint64_t taken = 0;     // items that the reader has
    bool closed = false;         // no more will come
    std::vector<Block> blocks;
};

struct Job {
    std::uint32_t function = 0;     // ~0 once it is over
    std::uint32_t most_in_row = 0;  // each span has so many items; 0: as many as is good
    std::uint32_t limits = 0;       // of each item
    bool ordered = true;
    void* subscriber = nullptr;    // cookie for on_done when it is over
    std::uint64_t items = 0;       // so far
    std::uint64_t finished = 0;    // items with an ending, or cancelled
    std::uint64_t read_next = 0;   // next item for the reader; if not ordered: how many it has
    std::uint64_t handed_out = 0;  // items whose results the reader's user has, if the reader says so
    bool sealed = false;           // no more items will come
    bool cut_off = false;          // sealed by the pool's end: more would have come
    bool cancelled = false;        // what has not started never will
    std::uint32_t handles = 1;     // the face's: its reader, and whoever adds to it meanwhile
    bool waited = false;           // a thread sleeps until there is a block, or room
    std::uint32_t spans = 0;       // SpanWorks alive
    std::uint64_t unspanned = 0;   // items not yet in any span
    std::size_t first_open = 0;    // chunks before it are all in spans
    std::vector<std::unique_ptr<Chunk>> chunks;
    std::map<std::uint64_t, std::unique_ptr<Piece>> pieces;  // by the number of their first item
};

// Items [next_result, end) of a chunk: given to one worker, or waiting.
struct SpanWork {
    Job* job = nullptr;
    Chunk* chunk = nullptr;
    std::uint64_t number = 0;       // in request records; never used twice
    std::uint32_t next_result = 0;  // the item whose record must come next
    std::uint32_t end = 0;
    std::uint32_t lane = 0;
    std::uint32_t position = 0;
    Piece* piece = nullptr;         // made when given to a lane
    std::uint64_t piece_first = 0;  // its key in Job::pieces
};

// Items [first, end) of a chunk, not given to anybody. Counted by its job.
SpanWork* new_span(Job& job, Chunk& chunk, std::uint32_t first, std::uint32_t end);
// Appends a result to the piece's last block, or to a new one when that is large enough.
void append_item(Piece& piece, Ending ending, bool large, std::span<const std::byte> payload);
// Frees the large results of a block that nobody read.
void drop_block(Block& block);

struct ResultBlock::Impl {
    std::vector<Block> blocks;
    std::size_t block = 0;
    std::size_t at = 0;              // byte offset in the current block
    std::uint64_t left = 0;          // items left in the current block
    LargeResult* current = nullptr;  // freed when the next result is asked for
};

// How the engine fills a ResultBlock, and how large results find their way back.
struct BlockAccess {
    static void fill(ResultBlock& block, std::vector<Block> blocks);
};

}  // namespace hardwork
