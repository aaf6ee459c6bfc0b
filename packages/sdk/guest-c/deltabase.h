/*
 * deltabase.h: the guest ABI, version 1, for machines written in C (docs/machine-abi.md specifies it).
 * One header, freestanding: no C library is needed. Everything is inline or an import.
 *
 *   #include "deltabase.h"
 *   DB_HANDLER(add) {
 *     double n = db_number(DB_STATE, DB_STR("/n"), 0) + 1;
 *     db_emit_number(DB_ADD, DB_STR("/n"), n);
 *     db_reply_number(n);
 *   }
 *
 *   clang --target=wasm32 -O2 -ffreestanding -nostdlib -mbulk-memory -Wl,--no-entry -o add.wasm add.c
 */
#ifndef DELTABASE_H
#define DELTABASE_H

#ifdef __cplusplus
extern "C" {
#endif

typedef __INT32_TYPE__ db_i32;
typedef __UINT32_TYPE__ db_u32;

/* A piece of memory: UTF-8 text, JSON text or a JSON pointer, always with its length. */
typedef struct {
  const char *at;
  db_i32 length;
} db_text;

/* A text out of a string literal. */
#define DB_STR(literal) ((db_text){(literal), (db_i32)(sizeof(literal) - 1)})

/* What a read is from. */
enum { DB_STATE = 0, DB_MESSAGE = 1 };

/* What db_kind tells. */
enum {
  DB_NONE = 0,
  DB_NULL = 1,
  DB_FALSE = 2,
  DB_TRUE = 3,
  DB_NUMBER = 4,
  DB_STRING = 5,
  DB_ARRAY = 6,
  DB_OBJECT = 7
};

/* Operations of RFC 6902. */
enum { DB_ADD = 0, DB_REMOVE = 1, DB_REPLACE = 2, DB_MOVE = 3, DB_COPY = 4, DB_TEST = 5 };

/* Fields of db_context. */
enum { DB_SPACE = 0, DB_KEY = 1, DB_CHANNEL = 2, DB_PRINCIPAL = 3, DB_MESSAGE_ID = 4 };

/* Levels of db_log. */
enum { DB_DEBUG = 0, DB_INFO = 1, DB_WARN = 2, DB_ERROR = 3 };

/* What reads return instead of a length: nothing is there; something of another kind is. */
enum { DB_MISSING = -1, DB_OTHER_KIND = -2 };

/* Defines the handler of a channel, and what runs before a document's first message. */
#define DB_HANDLER(channel) \
  __attribute__((export_name("on_" #channel))) void db_on_##channel(void)
#define DB_INIT __attribute__((export_name("init"))) void db_init(void)

/* The host functions, as they are. */
#define DB_IMPORT(name) __attribute__((import_module("deltabase"), import_name(name))) extern
DB_IMPORT("read") db_i32 db_host_read(db_i32, const char *, db_i32);
DB_IMPORT("take") void db_host_take(char *);
DB_IMPORT("read_text") db_i32 db_host_read_text(db_i32, const char *, db_i32);
DB_IMPORT("read_number") double db_host_read_number(db_i32, const char *, db_i32);
DB_IMPORT("read_kind") db_i32 db_host_read_kind(db_i32, const char *, db_i32);
DB_IMPORT("read_count") db_i32 db_host_read_count(db_i32, const char *, db_i32);
DB_IMPORT("read_keys")
db_i32 db_host_read_keys(db_i32, const char *, db_i32, const char *, db_i32, db_i32);
DB_IMPORT("context") db_i32 db_host_context(db_i32);
DB_IMPORT("emit") void db_host_emit(db_i32, const char *, db_i32, const char *, db_i32);
DB_IMPORT("emit_text") void db_host_emit_text(db_i32, const char *, db_i32, const char *, db_i32);
DB_IMPORT("emit_number") void db_host_emit_number(db_i32, const char *, db_i32, double);
DB_IMPORT("reply") void db_host_reply(const char *, db_i32);
DB_IMPORT("reply_text") void db_host_reply_text(const char *, db_i32);
DB_IMPORT("reply_number") void db_host_reply_number(double);
DB_IMPORT("reject") void db_host_reject(const char *, db_i32);
DB_IMPORT("now") double db_host_now(void);
DB_IMPORT("random") db_i32 db_host_random(void);
DB_IMPORT("log") void db_host_log(db_i32, const char *, db_i32);

#define DB_INLINE static inline __attribute__((unused))

/*
 * Takes what a read has staged: `length` bytes into `room` of `room_bytes`. Traps where they do not fit;
 * DB_MISSING and DB_OTHER_KIND pass through as the text's length, with nothing in it.
 */
DB_INLINE db_text db_taken(db_i32 length, char *room, db_i32 room_bytes) {
  if (length > room_bytes) __builtin_trap();
  if (length > 0) db_host_take(room);
  return (db_text){room, length};
}

/* The JSON text of the value at `pointer`. */
DB_INLINE db_text db_json(db_i32 root, db_text pointer, char *room, db_i32 room_bytes) {
  return db_taken(db_host_read(root, pointer.at, pointer.length), room, room_bytes);
}

/* The string at `pointer`. */
DB_INLINE db_text db_string(db_i32 root, db_text pointer, char *room, db_i32 room_bytes) {
  return db_taken(db_host_read_text(root, pointer.at, pointer.length), room, room_bytes);
}

/* A field of the message's context, such as DB_PRINCIPAL. */
DB_INLINE db_text db_context(db_i32 field, char *room, db_i32 room_bytes) {
  return db_taken(db_host_context(field), room, room_bytes);
}

/* The number at `pointer`, or `otherwise` where there is none. */
DB_INLINE double db_number(db_i32 root, db_text pointer, double otherwise) {
  double value = db_host_read_number(root, pointer.at, pointer.length);
  return value == value ? value : otherwise;
}

/* What is at `pointer`: DB_NONE and so on. */
DB_INLINE db_i32 db_kind(db_i32 root, db_text pointer) {
  return db_host_read_kind(root, pointer.at, pointer.length);
}

/* Elements or members of what is at `pointer`; DB_MISSING, DB_OTHER_KIND. */
DB_INLINE db_i32 db_count(db_i32 root, db_text pointer) {
  return db_host_read_count(root, pointer.at, pointer.length);
}

/*
 * Stages up to `max` names of the object at `pointer` behind `after`, in order; all from the first where
 * `after.length` is -1. Take them with db_taken, walk them with db_next_key.
 */
DB_INLINE db_i32 db_keys(db_i32 root, db_text pointer, db_text after, db_i32 max) {
  return db_host_read_keys(root, pointer.at, pointer.length, after.at, after.length, max);
}

/* Takes the first name off `keys`; 0: there was none. */
DB_INLINE db_i32 db_next_key(db_text *keys, db_text *key) {
  if (keys->length < 4) return 0;
  const unsigned char *size = (const unsigned char *)keys->at;
  key->length = (db_i32)(size[0] | size[1] << 8 | size[2] << 16 | (db_u32)size[3] << 24);
  key->at = keys->at + 4;
  keys->at += 4 + key->length;
  keys->length -= 4 + key->length;
  return 1;
}

/* Emits an operation whose value is JSON text; for DB_MOVE and DB_COPY it is the pointer from. */
DB_INLINE void db_emit(db_i32 operation, db_text path, db_text json) {
  db_host_emit(operation, path.at, path.length, json.at, json.length);
}

/* Emits an operation whose value is a string. */
DB_INLINE void db_emit_string(db_i32 operation, db_text path, db_text value) {
  db_host_emit_text(operation, path.at, path.length, value.at, value.length);
}

/* Emits an operation whose value is a number. */
DB_INLINE void db_emit_number(db_i32 operation, db_text path, double value) {
  db_host_emit_number(operation, path.at, path.length, value);
}

/* Emits the removal of what is at `path`. */
DB_INLINE void db_emit_remove(db_text path) {
  db_host_emit(DB_REMOVE, path.at, path.length, "", 0);
}

/* Sets the reply; of several the last counts. */
DB_INLINE void db_reply(db_text json) { db_host_reply(json.at, json.length); }
DB_INLINE void db_reply_string(db_text value) { db_host_reply_text(value.at, value.length); }
DB_INLINE void db_reply_number(double value) { db_host_reply_number(value); }

/* Refuses the message; nothing of it takes effect. */
DB_INLINE __attribute__((noreturn)) void db_reject(db_text reason) {
  db_host_reject(reason.at, reason.length);
  __builtin_unreachable();
}

/* Milliseconds since 1970, by the message. */
DB_INLINE double db_now(void) { return db_host_now(); }

/* 32 random bits, by the message. */
DB_INLINE db_u32 db_random(void) { return (db_u32)db_host_random(); }

/* A line for whoever operates the machine. */
DB_INLINE void db_log(db_i32 level, db_text line) { db_host_log(level, line.at, line.length); }

/* Room in which a text grows piece by piece, such as a pointer. */
typedef struct {
  char *at;
  db_i32 length;
  db_i32 room;
} db_builder;

/* Adds `text` as it is. Traps where it does not fit. */
DB_INLINE void db_append(db_builder *to, db_text text) {
  if (text.length > to->room - to->length) __builtin_trap();
  for (db_i32 i = 0; i < text.length; i++) to->at[to->length++] = text.at[i];
}

/* Adds `/` and `name` as one part of a JSON pointer, whatever characters it has (RFC 6901, section 3). */
DB_INLINE void db_append_name(db_builder *to, db_text name) {
  db_append(to, DB_STR("/"));
  for (db_i32 i = 0; i < name.length; i++) {
    if (name.at[i] == '~') db_append(to, DB_STR("~0"));
    else if (name.at[i] == '/') db_append(to, DB_STR("~1"));
    else db_append(to, (db_text){name.at + i, 1});
  }
}

/* What was built so far. */
DB_INLINE db_text db_built(const db_builder *builder) {
  return (db_text){builder->at, builder->length};
}

#ifdef __cplusplus
}
#endif

#endif
