/* A small adapter written in C, for the provider "c-example": a subscription that is active may be left,
 * an expired one may not. Compiled by the tests; -DFAULT=n makes it misbehave in one way. */

#include <stdlib.h>
#include <string.h>

#include "recoup_adapter.h"

#ifndef FAULT
#define FAULT 0
#endif
enum { NO_FAULT, WRONG_SCHEMA, TOO_FEW_ROWS, LYING_OFFSETS, LYING_LENGTH, UNKNOWN_CODE, UNKNOWN_CLAUSE, NOTHING_GIVEN,
       NEGATIVE_LENGTH, MISSING_BUFFERS, MISSING_COLUMN, NOT_A_STRUCT, BROKEN_POLICY, MISSING_FUNCTION };

static const char POLICY[] =
    "{\"provider\":\"c-example\",\"title\":\"An adapter in C\","
    "\"site\":[{\"id\":\"global\",\"title\":\"Global\",\"zone\":\"UTC\",\"default\":true}],"
    "\"edition\":[{\"from\":\"2020-01-01\",\"what\":\"all\"}],"
    "\"source\":[{\"key\":\"page\",\"title\":\"Page\",\"url\":\"https://example.org\"}],"
    "\"clause\":[{\"id\":\"c.expired\",\"reason\":\"expired\",\"says\":\"What has expired cannot be left\",\"sources\":[\"page\"]}],"
    "\"param\":[],\"table\":[],\"list\":[],\"product\":[]}";

static int32_t give(struct recoup_text *out, const char *text) {
  if (out == NULL) return RECOUP_FAILED;
  out->len = out->capacity = strlen(text);
  out->data = malloc(out->len + 1);
  memcpy(out->data, text, out->len + 1);
  return RECOUP_OK;
}

static int32_t policy(struct recoup_text *out) { return give(out, FAULT == BROKEN_POLICY ? "{\"provider\":" : POLICY); }

static void free_text(struct recoup_text *text) {
  free(text->data);
  memset(text, 0, sizeof *text);
}

static int32_t open_session(const uint8_t *run, size_t len, void **session, struct recoup_text *error) {
  if (run == NULL || len == 0) {
    give(error, "there is no run");
    return RECOUP_BAD_INPUT;
  }
  *session = malloc(1);
  return RECOUP_OK;
}

static void close_session(void *session) { free(session); }

/* Building arrays: every node owns its buffers and children. */

static void release_schema(struct ArrowSchema *schema) {
  for (int64_t i = 0; i < schema->n_children; i++) {
    if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  schema->release = NULL;
}

static void release_array(struct ArrowArray *array) {
  for (int64_t i = 0; i < array->n_buffers; i++) free((void *)array->buffers[i]);
  for (int64_t i = 0; i < array->n_children; i++) {
    if (array->children[i]->release) array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  free(array->buffers);
  free(array->children);
  array->release = NULL;
}

struct node {
  struct ArrowSchema schema;
  struct ArrowArray array;
};

static void *zeros(size_t size) { return calloc(1, size + 64); }

/* A column; where `present` is 0 all of its rows are null. */
static struct node column(const char *name, const char *format, int64_t rows, int present, int n_buffers) {
  struct node node;
  memset(&node, 0, sizeof node);
  node.schema.format = format;
  node.schema.name = name;
  node.schema.flags = 2;
  node.schema.release = release_schema;
  node.array.length = rows;
  node.array.null_count = present ? 0 : rows;
  node.array.n_buffers = n_buffers;
  node.array.buffers = calloc((size_t)n_buffers, sizeof(void *));
  node.array.release = release_array;
  node.array.buffers[0] = present ? NULL : zeros((size_t)rows / 8 + 1);
  for (int i = 1; i < n_buffers; i++) node.array.buffers[i] = zeros((size_t)(rows + 1) * 16);
  return node;
}

static void add(struct node *parent, struct node child) {
  int64_t n = parent->schema.n_children++;
  parent->array.n_children = n + 1;
  parent->schema.children = realloc(parent->schema.children, (size_t)(n + 1) * sizeof(void *));
  parent->array.children = realloc(parent->array.children, (size_t)(n + 1) * sizeof(void *));
  parent->schema.children[n] = malloc(sizeof(struct ArrowSchema));
  parent->array.children[n] = malloc(sizeof(struct ArrowArray));
  *parent->schema.children[n] = child.schema;
  *parent->array.children[n] = child.array;
}

static struct node record(const char *name, int64_t rows, int present) { return column(name, "+s", rows, present, 1); }

/* A list column whose items are `item`, of which row i has those from offsets[i] to offsets[i + 1]. */
static struct node list(const char *name, int64_t rows, struct node item) {
  struct node node = column(name, "+l", rows, 1, 2);
  add(&node, item);
  return node;
}

static int32_t *offsets(struct node *list) { return (int32_t *)list->array.buffers[1]; }

static const struct ArrowArray *find(const struct ArrowArray *array, const struct ArrowSchema *schema, const char *name) {
  for (int64_t i = 0; i < schema->n_children; i++)
    if (strcmp(schema->children[i]->name, name) == 0) return array->children[i];
  return NULL;
}

static int32_t assess(const void *session, struct ArrowArray *resources, const struct ArrowSchema *schema,
                      struct ArrowArray *out, struct ArrowSchema *out_schema, struct recoup_text *error) {
  (void)session;
  const struct ArrowArray *status = find(resources, schema, "status");
  if (status == NULL) {
    give(error, "the column \"status\" is missing");
    return RECOUP_BAD_INPUT;
  }
  int64_t rows = resources->length;
  const uint8_t *codes = (const uint8_t *)status->buffers[1] + status->offset;
  int64_t refused = 0;
  for (int64_t i = 0; i < rows; i++) refused += codes[i] == RECOUP_STATUS_EXPIRED;

  struct node refusal = record("item", refused, 1);
  struct node clause = column("clause", "S", refused, 1, 2), reason = column("reason", "C", refused, 1, 2);
  for (int64_t i = 0; i < refused; i++) {
    ((uint16_t *)clause.array.buffers[1])[i] = FAULT == UNKNOWN_CLAUSE ? 7 : 0;
    ((uint8_t *)reason.array.buffers[1])[i] = FAULT == UNKNOWN_CODE ? 250 : RECOUP_REASON_EXPIRED;
  }
  add(&refusal, clause);
  add(&refusal, reason);
  struct node refusals = list("refusals", rows, refusal);

  struct node unknown = record("item", 0, 1);
  add(&unknown, column("clause", "S", 0, 1, 2));
  add(&unknown, column("reason", "C", 0, 1, 2));
  add(&unknown, column("fact", "u", 0, 1, 3));
  add(&unknown, column("assumed", "b", 0, 1, 2));

  struct node returned = record("item", 0, 1);
  add(&returned, column("instrument", "C", 0, 1, 2));
  add(&returned, column("amount", "d:38,18", 0, 1, 2));
  add(&returned, column("to", "C", 0, 1, 2));
  add(&returned, column("expires_at", "tsu:UTC", 0, 1, 2));
  struct node refund = record("refund", rows, 0);
  add(&refund, column("currency", "u", rows, 1, 3));
  const char *amounts[] = {"paid", "consumed", "fee", "forfeited", "released", "carry_over", "charge", "proceeds"};
  for (int i = 0; i < 8; i++) add(&refund, column(amounts[i], "d:38,18", rows, 1, 2));
  add(&refund, list("returned", rows, returned));

  struct node quota = record("item", 0, 1);
  add(&quota, column("name", "u", 0, 1, 3));
  add(&quota, column("limit", "d:38,18", 0, 1, 2));
  add(&quota, column("used", "d:38,18", 0, 1, 2));
  add(&quota, column("draws", "d:38,18", 0, 1, 2));
  add(&quota, column("window", "u", 0, 1, 3));

  struct node step = record("item", 0, 1);
  add(&step, column("clause", "S", 0, 1, 2));
  add(&step, column("verdict", "C", 0, 1, 2));
  add(&step, column("label", "u", 0, 1, 3));
  add(&step, column("text", "u", 0, 1, 3));

  struct node outcome = column("outcome", "C", rows, 1, 2), best = column("best", "C", rows, 1, 2);
  int32_t seen = 0;
  for (int64_t i = 0; i < rows; i++) {
    int is_refused = codes[i] == RECOUP_STATUS_EXPIRED;
    seen += is_refused;
    offsets(&refusals)[i + 1] = seen;
    ((uint8_t *)outcome.array.buffers[1])[i] = is_refused ? RECOUP_OUTCOME_REFUSED : RECOUP_OUTCOME_ALLOWED;
    ((uint8_t *)best.array.buffers[1])[i] = RECOUP_EXIT_IN_USE;
  }
  if (FAULT == LYING_OFFSETS && rows > 0) offsets(&refusals)[rows] = 1000000;

  struct node ruling = record("item", rows, 1);
  add(&ruling, column("exit", "C", rows, 1, 2)); /* RECOUP_EXIT_IN_USE is 0 */
  add(&ruling, column("channel", "C", rows, 0, 2));
  add(&ruling, column("effects", "S", rows, 1, 2));
  add(&ruling, column("until", "tsu:UTC", rows, 0, 2));
  add(&ruling, column("effective_at", "tsu:UTC", rows, 0, 2));
  add(&ruling, refusals);
  add(&ruling, list("unknowns", rows, unknown));
  add(&ruling, refund);
  add(&ruling, column("review_by", "u", rows, 0, 3));
  add(&ruling, column("review_clause", "S", rows, 0, 2));
  add(&ruling, column("review_hours", "I", rows, 0, 2));
  add(&ruling, column("settlement_days", "I", rows, 0, 2));
  add(&ruling, column("settlement_kind", "C", rows, 0, 2));
  add(&ruling, list("quota", rows, quota));
  if (FAULT != MISSING_COLUMN) add(&ruling, list("steps", rows, step));
  struct node rulings = list("rulings", rows, ruling);
  for (int64_t i = 0; i <= rows; i++) offsets(&rulings)[i] = (int32_t)i;

  struct node answer = record("", FAULT == TOO_FEW_ROWS && rows > 0 ? rows - 1 : rows, 1);
  add(&answer, column("error", "u", rows, 0, 3));
  add(&answer, column("site", "u", rows, 0, 3));
  add(&answer, column("edition", "u", rows, 0, 3));
  add(&answer, column("at", "tsu:UTC", rows, 1, 2));
  add(&answer, outcome);
  add(&answer, best);
  add(&answer, rulings);
  if (FAULT == WRONG_SCHEMA) answer.schema.children[4]->format = "I";
  if (FAULT == NOT_A_STRUCT) answer.schema.format = "u";
  if (FAULT == LYING_LENGTH) answer.array.children[4]->length = (int64_t)1 << 60;
  if (FAULT == NEGATIVE_LENGTH) answer.array.children[5]->length = -1;
  if (FAULT == MISSING_BUFFERS) answer.array.children[4]->n_buffers = 1;
  if (resources->release) resources->release(resources);
  if (FAULT == NOTHING_GIVEN) {
    answer.array.release(&answer.array);
    answer.schema.release(&answer.schema);
    return RECOUP_OK;
  }
  *out = answer.array;
  *out_schema = answer.schema;
  return RECOUP_OK;
}

#ifndef MAJOR
#define MAJOR RECOUP_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR RECOUP_ABI_MINOR
#endif
#ifndef SIZE
#define SIZE sizeof(struct recoup_adapter)
#endif
#ifndef SYMBOL
#define SYMBOL recoup_adapter_c_example
#endif

static const struct recoup_adapter TABLE = {
    MAJOR, MINOR, SIZE, policy, open_session, FAULT == MISSING_FUNCTION ? NULL : assess, close_session, free_text, NULL, NULL,
};

const struct recoup_adapter *SYMBOL(void);
const struct recoup_adapter *SYMBOL(void) { return &TABLE; }
