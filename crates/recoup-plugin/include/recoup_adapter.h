/*
 * recoup_adapter.h: the C ABI between recoup and its adapters, protocol 1.0.
 *
 * An adapter is a shared library that exports one function, named after its provider with '-' written
 * as '_':
 *
 *     const struct recoup_adapter *recoup_adapter_<provider>(void);
 *
 * It returns a static table. Resources and assessments cross as batches of the Arrow C data interface
 * (https://arrow.apache.org/docs/format/CDataInterface.html); the policy, the run and provider payloads
 * cross as JSON. Functions may be called from several threads at once, and a session too.
 *
 * Rules for an adapter: no I/O, no clock, no state that an answer depends on. The same batch gives the
 * same answer. Nothing may unwind or jump out of a function.
 *
 * SPDX-License-Identifier: Apache-2.0 OR MIT
 */
#ifndef RECOUP_ADAPTER_H
#define RECOUP_ADAPTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RECOUP_ABI_MAJOR 1
#define RECOUP_ABI_MINOR 0

/* What a function returns. */
#define RECOUP_OK 0         /* it succeeded */
#define RECOUP_BAD_INPUT 1  /* the input was not understood; the text says what and where */
#define RECOUP_FAILED 2     /* the adapter failed on its own account; the text says how */
#define RECOUP_POISONED 3   /* the adapter failed so badly before that it answers nothing more */

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

/* Bytes of an adapter's own, given back to it with free_text. UTF-8, not terminated. */
struct recoup_text {
  uint8_t *data;
  size_t len;
  size_t capacity; /* the adapter's own; a host leaves it alone */
};

struct recoup_adapter {
  uint32_t abi_major;   /* RECOUP_ABI_MAJOR */
  uint32_t abi_minor;   /* RECOUP_ABI_MINOR */
  uint64_t struct_size; /* sizeof(struct recoup_adapter) */

  /* Gives the policy as JSON: provider, sites, editions, sources, clauses, tables. */
  int32_t (*policy)(struct recoup_text *out);

  /* Opens a session for a run: {"at", "day", "edition", "assumed", "trace", "accounts", "policy"}, each
   * of which may be absent. A "policy" replaces the adapter's own. */
  int32_t (*open)(const uint8_t *run, size_t len, void **session, struct recoup_text *error);

  /* Assesses a batch of resources into a batch of assessments: one row out for each row in, in the same
   * order. Takes ownership of *resources; *schema is lent for the call. */
  int32_t (*assess)(const void *session, struct ArrowArray *resources, const struct ArrowSchema *schema,
                    struct ArrowArray *out, struct ArrowSchema *out_schema, struct recoup_text *error);

  /* Closes a session. */
  void (*close)(void *session);

  /* Takes a text back. */
  void (*free_text)(struct recoup_text *text);

  /* Says which files are this provider's payloads: [{"name", "text"}] -> [true, false, ...]. May be NULL. */
  int32_t (*recognise)(const uint8_t *files, size_t len, struct recoup_text *out);

  /* Reads payloads: [{"name", "text"}] -> {"resources", "accounts", "refunds", "remarks"}. May be NULL. */
  int32_t (*import)(const uint8_t *files, size_t len, struct recoup_text *out);
};

/*
 * Columns. Arrow formats: C = uint8, S = uint16, I = uint32, u = utf8, b = boolean, d = "d:38,18",
 * t = "tsu:UTC", +s = struct, +l = list of struct (its child is called "item"). "?" may be null.
 *
 * Resources ("+s"):
 *   site u? account u? id u product u region u? billing C seller C? status C purchased_at t? starts_at t?
 *   ends_at t? primary u? relation C? bundle u? quantity d?
 *   commitment +s? { term_months I? payment_option C? hourly d? currency u? upfront d? recurring d?
 *                    recurring_every C? class C? unit u? total_units d? used_units d? used_fraction d? }
 *   price_terms +s? { currency u? hourly_rate d? rate d? unit_price d? daily d? current d?
 *                     components +l { name u? monthly d? hourly +l { up_to_hours d? price d } }
 *                     discounts +l { from_months d rate d } }
 *   orders +l? { id u? kind C status C placed_at t? paid_at t? starts_at t? ends_at t? term_unit C?
 *                term_count I? quantity d? currency u? list_price d? due d?
 *                payments +l? { instrument C amount d expires_at t? }
 *                facts +s { a column for each fact that an order of the batch states, named after it } }
 *   facts +s { a column for each fact that a resource of the batch states, named after it: b? d? u? t? }
 *   at t? (may be absent: then the run's instant holds)
 *
 * Assessments ("+s"):
 *   error u? (set where the resource could not be assessed) site u? edition u? at t outcome C best C?
 *   rulings +l { exit C channel C? effects S (bit n is effect n) until t? effective_at t?
 *     refusals +l { clause S reason C }
 *     unknowns +l { clause S reason C fact u? assumed b? }
 *     refund +s? { currency u paid d consumed d? fee d forfeited d? released d? carry_over d? charge d?
 *                  proceeds d? returned +l { instrument C amount d to C expires_at t? } }
 *     review_by u? review_clause S? review_hours I? settlement_days I? settlement_kind C?
 *     quota +l { name u limit d? used d? draws d? window u? }
 *     steps +l { clause S? verdict C? label u? text u? } }
 *
 * A clause is the index of the clause in the policy. Money conserves, or the host refuses the batch:
 * paid = consumed + fee + forfeited + sum(returned) + carry_over, and at a resale
 * proceeds = fee + sum(returned).
 */

/* The stable codes of the closed vocabularies. Codes are only ever appended. */

/* Billing */
#define RECOUP_BILLING_SUBSCRIPTION 0
#define RECOUP_BILLING_PACKAGE 1
#define RECOUP_BILLING_RESERVATION 2
#define RECOUP_BILLING_SAVINGS_PLAN 3
#define RECOUP_BILLING_COMMITTED_USE 4
#define RECOUP_BILLING_LICENSE 5
#define RECOUP_BILLING_SUPPORT_PLAN 6
#define RECOUP_BILLING_ONE_OFF 7
#define RECOUP_BILLING_PAY_AS_YOU_GO 8
#define RECOUP_BILLING_SPOT 9
#define RECOUP_BILLING_FREE 10
#define RECOUP_BILLING_TRIAL 11
#define RECOUP_BILLING_PREPAID_BALANCE 12

/* Seller */
#define RECOUP_SELLER_PROVIDER 0
#define RECOUP_SELLER_MARKETPLACE 1

/* Status */
#define RECOUP_STATUS_PENDING 0
#define RECOUP_STATUS_QUEUED 1
#define RECOUP_STATUS_ACTIVE 2
#define RECOUP_STATUS_EXPIRED 3
#define RECOUP_STATUS_FROZEN 4
#define RECOUP_STATUS_FAILED 5
#define RECOUP_STATUS_RELEASED 6

/* Relation */
#define RECOUP_RELATION_BOUND 0
#define RECOUP_RELATION_ATTACHED 1

/* OrderKind */
#define RECOUP_ORDER_PURCHASE 0
#define RECOUP_ORDER_RENEWAL 1
#define RECOUP_ORDER_UPGRADE 2
#define RECOUP_ORDER_DOWNGRADE 3
#define RECOUP_ORDER_CONVERSION 4

/* OrderStatus */
#define RECOUP_ORDER_STATUS_PAID 0
#define RECOUP_ORDER_STATUS_UNPAID 1
#define RECOUP_ORDER_STATUS_REFUNDED 2
#define RECOUP_ORDER_STATUS_CANCELLED 3

/* Instrument */
#define RECOUP_INSTRUMENT_CASH 0
#define RECOUP_INSTRUMENT_CARD 1
#define RECOUP_INSTRUMENT_ONLINE 2
#define RECOUP_INSTRUMENT_CREDIT 3
#define RECOUP_INSTRUMENT_PREPAYMENT 4
#define RECOUP_INSTRUMENT_STORED_VALUE_CARD 5
#define RECOUP_INSTRUMENT_FLEXI_COUPON 6
#define RECOUP_INSTRUMENT_CASH_COUPON 7
#define RECOUP_INSTRUMENT_DISCOUNT_COUPON 8
#define RECOUP_INSTRUMENT_VOUCHER 9
#define RECOUP_INSTRUMENT_BONUS 10
#define RECOUP_INSTRUMENT_EARNINGS 11
#define RECOUP_INSTRUMENT_PARTNER 12

/* Exit */
#define RECOUP_EXIT_IN_USE 0
#define RECOUP_EXIT_FULL_REFUND 1
#define RECOUP_EXIT_RENEWAL_PERIOD 2
#define RECOUP_EXIT_INACTIVE 3
#define RECOUP_EXIT_FAILED 4
#define RECOUP_EXIT_RETURN 5
#define RECOUP_EXIT_DELETE_QUEUED 6
#define RECOUP_EXIT_CANCEL_RESERVATION 7
#define RECOUP_EXIT_EXCHANGE 8
#define RECOUP_EXIT_TRADE_IN 9
#define RECOUP_EXIT_RESALE 10
#define RECOUP_EXIT_DOWNGRADE 11
#define RECOUP_EXIT_CONVERSION 12
#define RECOUP_EXIT_MARKETPLACE 13
#define RECOUP_EXIT_BY_AGREEMENT 14
#define RECOUP_EXIT_BALANCE_PAYOUT 15
#define RECOUP_EXIT_WITHDRAWAL 16
#define RECOUP_EXIT_STOP_RENEWAL 17
#define RECOUP_EXIT_NONE 18

/* Outcome */
#define RECOUP_OUTCOME_ALLOWED 0
#define RECOUP_OUTCOME_CONDITIONAL 1
#define RECOUP_OUTCOME_REFUSED 2

/* Reason */
#define RECOUP_REASON_PAY_AS_YOU_GO 0
#define RECOUP_REASON_ONE_OFF 1
#define RECOUP_REASON_FREE 2
#define RECOUP_REASON_TRIAL 3
#define RECOUP_REASON_PRODUCT_NOT_SUPPORTED 4
#define RECOUP_REASON_EXPIRED 5
#define RECOUP_REASON_NOT_ACTIVE 6
#define RECOUP_REASON_NOT_FOUND 7
#define RECOUP_REASON_ARCHIVED 8
#define RECOUP_REASON_FROZEN_SECURITY 9
#define RECOUP_REASON_FROZEN_LEGAL 10
#define RECOUP_REASON_ARREARS 11
#define RECOUP_REASON_TRANSACTION_IN_PROGRESS 12
#define RECOUP_REASON_UNPAID_ORDER 13
#define RECOUP_REASON_SPECIAL_REQUEST_OPEN 14
#define RECOUP_REASON_PROMOTION 15
#define RECOUP_REASON_INVOICED 16
#define RECOUP_REASON_MARKETPLACE 17
#define RECOUP_REASON_PAID_IMAGE 18
#define RECOUP_REASON_RESELLER 19
#define RECOUP_REASON_PAID_BY_PARTNER 20
#define RECOUP_REASON_SALES_CONTRACT 21
#define RECOUP_REASON_SUPPORT_BENEFIT_USED 22
#define RECOUP_REASON_TRIAL_BENEFIT_USED 23
#define RECOUP_REASON_PART_OF_BUNDLE 24
#define RECOUP_REASON_LEAVES_WITH_PRIMARY 25
#define RECOUP_REASON_ATTACHMENT_BLOCKS 26
#define RECOUP_REASON_QUOTA_EXHAUSTED 27
#define RECOUP_REASON_WINDOW_CLOSED 28
#define RECOUP_REASON_AMOUNT_OVER_LIMIT 29
#define RECOUP_REASON_CURRENCY_MISMATCH 30
#define RECOUP_REASON_ZERO_REFUND 31
#define RECOUP_REASON_SECURITY_RISK 32
#define RECOUP_REASON_TRANSFERRED 33
#define RECOUP_REASON_FINANCIAL_GROUP 34
#define RECOUP_REASON_ALREADY_EFFECTIVE 35
#define RECOUP_REASON_CHANGED_BEFORE_RENEWAL 36
#define RECOUP_REASON_NEVER_CANCELLABLE 37
#define RECOUP_REASON_TOO_NEW 38
#define RECOUP_REASON_TOO_LITTLE_LEFT 39
#define RECOUP_REASON_ALREADY_USED 40
#define RECOUP_REASON_ACCOUNT_NOT_ELIGIBLE 41
#define RECOUP_REASON_ACCOUNT_OPEN 42
#define RECOUP_REASON_NOT_AUTHORISED 43
#define RECOUP_REASON_PRIVATE_OFFER 44
#define RECOUP_REASON_AGREEMENT_NEEDED 45
#define RECOUP_REASON_WITHIN_COMMITMENT 46
#define RECOUP_REASON_REGION_NOT_SUPPORTED 47
#define RECOUP_REASON_VOLUME_DISCOUNT 48
#define RECOUP_REASON_TARGET_NOT_ELIGIBLE 49
#define RECOUP_REASON_QUANTITY_TOO_LARGE 50
#define RECOUP_REASON_EXCHANGE_ENDED 51
#define RECOUP_REASON_NOT_AUTO_RENEWED 52
#define RECOUP_REASON_PRICE_CHANGED 53
#define RECOUP_REASON_PRICE_UNKNOWN 54
#define RECOUP_REASON_REFERRAL_ORDER 55
#define RECOUP_REASON_CONVERTED 56
#define RECOUP_REASON_NOT_NEW_PURCHASE 57
#define RECOUP_REASON_PROTECTED 58
#define RECOUP_REASON_PACKAGE_IN_EFFECT 59
#define RECOUP_REASON_RULE_UNKNOWN 60

/* Destination */
#define RECOUP_TO_ACCOUNT_BALANCE 0
#define RECOUP_TO_ORIGINAL_PAYMENT_METHOD 1
#define RECOUP_TO_BANK_ACCOUNT 2
#define RECOUP_TO_NEXT_INVOICE 3
#define RECOUP_TO_CREDIT_MEMO 4
#define RECOUP_TO_HELD_FOR_NEXT_PURCHASE 5
#define RECOUP_TO_PREPAYMENT 6
#define RECOUP_TO_PARTNER_ACCOUNT 7
#define RECOUP_TO_CASH_COUPON 8
#define RECOUP_TO_DISCOUNT_COUPON 9
#define RECOUP_TO_VOUCHER 10
#define RECOUP_TO_FLEXI_COUPON 11
#define RECOUP_TO_STORED_VALUE_CARD 12
#define RECOUP_TO_BONUS 13
#define RECOUP_TO_EARNINGS 14

/* Effect */
#define RECOUP_EFFECT_IRREVERSIBLE 0
#define RECOUP_EFFECT_DATA_DELETED 1
#define RECOUP_EFFECT_ACCESS_LOST 2
#define RECOUP_EFFECT_ATTACHED_LEAVE_TOO 3
#define RECOUP_EFFECT_COUPONS_LOST 4
#define RECOUP_EFFECT_ON_DEMAND_RATES_APPLY 5
#define RECOUP_EFFECT_RENEWALS_LEAVE_TOO 6

/* Channel */
#define RECOUP_CHANNEL_API 0
#define RECOUP_CHANNEL_CONSOLE 1
#define RECOUP_CHANNEL_SUPPORT 2
#define RECOUP_CHANNEL_MARKETPLACE 3

/* DayKind */
#define RECOUP_DAYS_BUSINESS 0
#define RECOUP_DAYS_CALENDAR 1

/* PaymentOption */
#define RECOUP_PAYMENT_ALL_UPFRONT 0
#define RECOUP_PAYMENT_PARTIAL_UPFRONT 1
#define RECOUP_PAYMENT_NO_UPFRONT 2
#define RECOUP_PAYMENT_MONTHLY 3

/* Class */
#define RECOUP_CLASS_STANDARD 0
#define RECOUP_CLASS_CONVERTIBLE 1

/* Recurrence */
#define RECOUP_EVERY_HOUR 0
#define RECOUP_EVERY_MONTH 1

/* TermUnit */
#define RECOUP_TERM_HOUR 0
#define RECOUP_TERM_DAY 1
#define RECOUP_TERM_WEEK 2
#define RECOUP_TERM_MONTH 3
#define RECOUP_TERM_YEAR 4

#ifdef __cplusplus
}
#endif

#endif /* RECOUP_ADAPTER_H */
