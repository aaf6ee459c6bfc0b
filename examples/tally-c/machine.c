/*
 * A poll with one vote for each principal: { votes: { principal: choice }, tally: { choice: votes } }.
 * Voting again moves the vote, so that the tally always has as many votes as there are voters.
 */
#include "../../packages/sdk/guest-c/deltabase.h"

#define NAME_MAX 256
#define POINTER_MAX 1024

static char pointer_room[POINTER_MAX], other_room[POINTER_MAX];

/* `parent` and `name` as one pointer, in `room`. */
static db_text pointer(char *room, db_text parent, db_text name) {
  db_builder builder = {room, 0, POINTER_MAX};
  db_append(&builder, parent);
  db_append_name(&builder, name);
  return db_built(&builder);
}

static _Bool same(db_text a, db_text b) {
  if (a.length != b.length) return 0;
  for (db_i32 i = 0; i < a.length; i++) {
    if (a.at[i] != b.at[i]) return 0;
  }
  return 1;
}

/* Moves the tally of `choice` by `by`; returns the new one. A choice without votes is not kept. */
static double count(db_text choice, double by) {
  db_text at = pointer(other_room, DB_STR("/tally"), choice);
  double votes = db_number(DB_STATE, at, 0) + by;
  if (votes == 0) db_emit_remove(at);
  else db_emit_number(DB_ADD, at, votes);
  return votes;
}

/* The principal, which a vote needs. */
static db_text voter(char *room) {
  db_text name = db_context(DB_PRINCIPAL, room, NAME_MAX);
  if (name.length <= 0) db_reject(DB_STR("a vote needs a principal: sign in"));
  return name;
}

DB_INIT { db_emit(DB_ADD, DB_STR(""), DB_STR("{\"tally\":{},\"votes\":{}}")); }

/* { "choice": string }: votes, or moves the vote; replies with the votes of the choice. */
DB_HANDLER(vote) {
  char name_room[NAME_MAX], choice_room[NAME_MAX], before_room[NAME_MAX];
  db_i32 length = db_host_read_text(DB_MESSAGE, "/choice", 7);
  if (length <= 0) db_reject(DB_STR("`choice` must be a text that is not empty"));
  if (length > NAME_MAX) db_reject(DB_STR("`choice` has more than 256 bytes"));
  db_text choice = db_taken(length, choice_room, NAME_MAX);
  db_text at = pointer(pointer_room, DB_STR("/votes"), voter(name_room));
  db_text before = db_string(DB_STATE, at, before_room, NAME_MAX);
  if (before.length >= 0 && same(before, choice)) {
    db_reply_number(db_number(DB_STATE, pointer(other_room, DB_STR("/tally"), choice), 0));
    return;
  }
  if (before.length >= 0) count(before, -1);
  db_emit_string(DB_ADD, at, choice);
  db_reply_number(count(choice, 1));
}

/* Takes the vote back. */
DB_HANDLER(withdraw) {
  char name_room[NAME_MAX], before_room[NAME_MAX];
  db_text at = pointer(pointer_room, DB_STR("/votes"), voter(name_room));
  db_text before = db_string(DB_STATE, at, before_room, NAME_MAX);
  if (before.length < 0) db_reject(DB_STR("there is no vote to withdraw"));
  db_emit_remove(at);
  count(before, -1);
}
