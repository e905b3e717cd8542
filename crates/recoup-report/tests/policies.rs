//! What a provider publishes, as people read it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use recoup_core::time::{Instant, Zone};
use recoup_report::{Look, policy, sample};
use unicode_width::UnicodeWidthStr;

fn look(width: usize) -> Look {
    Look { width, ..Look::default() }
}

fn day(text: &str) -> Instant {
    Instant::parse(text, Zone::fixed_hours(8)).unwrap()
}

#[test]
fn list_of_policies() {
    let book = sample::book().unwrap();
    insta::assert_snapshot!(policy::list(&[book.policy()], &look(80)), @r#"
    provider  editions  clauses  sources  newest edition  sites     title
    example          2        9        2  2024-10-29      intl, eu  Example Cloud
    "#);
}

#[test]
fn one_policy() {
    insta::assert_snapshot!(policy::show(sample::book().unwrap().policy(), &look(80)), @r#"
    Example Cloud (example)

    site intl, the default
      Example Cloud International, time zone +08:00
      2023-01-01  the first page that is kept
      2024-10-29  an issued invoice stops a return; the fee is doubled

    site eu
      Example Cloud Europe, time zone Europe/Berlin
      2023-01-01  the first page that is kept

    9 clauses
      ex.full.window (refuses: time window closed)
        Within five days of buying, everything that was paid comes back
        holds: every site, always
        source: Rules for returning what you bought (site intl, dated 2024-10-29)
                https://example.com/rules
      ex.full.quota (refuses: quota used up)
        A full refund is given once a calendar year
        holds: every site, always
        source: Rules for returning what you bought (site intl, dated 2024-10-29)
                https://example.com/rules
      ex.use.promotion (refuses: bought in a promotion)
        What was bought in a promotion that forbids returns stays
        holds: every site, always
        source: Rules for returning what you bought (site intl, dated 2024-10-29)
                https://example.com/rules
      ex.use.invoiced (refuses: invoice issued)
        What an invoice was issued for stays until the invoice is given back
        holds: every site, from 2024-10-29
        source: Rules for returning what you bought (site intl, dated 2024-10-29)
                https://example.com/rules
      ex.use.formula
        Used days are kept at the price paid, and a fee of what was paid
        holds: every site, always
        source: Rules for returning what you bought (site intl, dated 2024-10-29)
                https://example.com/rules
        source: Fees & formulas (no date printed, second-hand)
                https://example.com/fees?a=1&b=2
      ex.metered (refuses: pay as you go)
        What is metered has nothing paid ahead
        holds: every site, always
        source: Rules for returning what you bought (site intl, dated 2024-10-29)
                https://example.com/rules
      ex.review
        The account manager looks at every return; after 24 hours it counts as
        approved
        holds: every site, always
        note: the page does not say which days
        source: Rules for returning what you bought (site intl, dated 2024-10-29)
                https://example.com/rules
      ex.settlement
        Money arrives within seven working days
        holds: every site, always
        source: Fees & formulas (no date printed, second-hand)
                https://example.com/fees?a=1&b=2
      ex.old (text only)
        Returns are asked for by letter
        holds: intl, until 2024-10-29
        source: Fees & formulas (no date printed, second-hand)
                https://example.com/fees?a=1&b=2

    value ex.fee
      the fee, as a share of what was paid
        share  clause          holds
         0.05  ex.use.formula  every site, until 2024-10-29
          0.1  ex.use.formula  every site, from 2024-10-29

    table ex.caps
      the largest return of a product in a month (clause ex.full.quota)
        product  years    USD  holds
        vm       1       5000  every site, always
        vm       3      15000  every site, until 2024-10-29
        vm       3      12000  every site, from 2024-10-29
        disk     1        800  every site, from 2024-10-29

    list ex.no-return
      products that are never returned (clause ex.use.promotion)
      holds: every site, from 2024-10-29
      products: disk
    "#);
}

#[test]
fn difference_of_two_editions() {
    let book = sample::book().unwrap();
    let diff = |site, before, after| policy::diff(&book, site, day(before), day(after), &look(60));
    insta::assert_snapshot!(diff(None, "2024-01-01", "2024-11-01").unwrap(), @r#"
    Example Cloud, site intl: 2023-01-01 to 2024-10-29
      2024-10-29  an issued invoice stops a return; the fee is
                  doubled

    clauses that come into force
      ex.use.invoiced
        What an invoice was issued for stays until the invoice
        is given back
        source: Rules for returning what you bought (site intl,
                dated 2024-10-29)

    clauses that no longer hold
      ex.old
        Returns are asked for by letter
        source: Fees & formulas (no date printed, second-hand)

    values that change
        value              before  after  unit   clause
        ex.fee               0.05    0.1  share  ex.use.formula
        ex.caps [vm, 3]     15000  12000  USD    ex.full.quota
        ex.caps [disk, 1]       -    800  USD    ex.full.quota

    lists that change
      ex.no-return gains disk
    "#);
    insta::assert_snapshot!(diff(Some("eu"), "2024-01-01", "2024-01-02").unwrap(), @r#"
    Example Cloud, site eu: 2023-01-01 to 2023-01-01

    no clause, value or list changes
    "#);
    assert_eq!(diff(Some("moon"), "2024-01-01", "2024-01-02"), None);
}

#[test]
fn a_difference_read_backwards_swaps_what_comes_and_goes() {
    let book = sample::book().unwrap();
    let text = policy::diff(&book, None, day("2024-11-01"), day("2024-01-01"), &look(80)).unwrap();
    let (gone, _) = text.split_once("no longer hold").unwrap();
    assert!(gone.contains("ex.old") && !gone.contains("ex.use.invoiced"));
}

#[test]
fn the_policy_book() {
    let cases = BTreeMap::from([("ex.use.invoiced".to_owned(), vec!["ex-7".to_owned(), "ex-8".to_owned()])]);
    insta::assert_snapshot!(policy::book(sample::book().unwrap().policy(), &cases), @r#"
    # Example Cloud

    What `example` publishes about leaving, as far as it is known: 9 clauses from 2 pages.

    ## Sites and editions

    ### `intl`, the default

    Example Cloud International, time zone +08:00.

    | edition | what changed |
    | --- | --- |
    | 2023-01-01 | the first page that is kept |
    | 2024-10-29 | an issued invoice stops a return; the fee is doubled |

    ### `eu`

    Example Cloud Europe, time zone Europe/Berlin.

    | edition | what changed |
    | --- | --- |
    | 2023-01-01 | the first page that is kept |

    ## Clauses

    ### `ex.full.window`

    Within five days of buying, everything that was paid comes back.

    - Refuses: time window closed (`window_closed`)
    - Holds: every site, always
    - Source: [Rules for returning what you bought](<https://example.com/rules>) (site intl, dated 2024-10-29)

    ### `ex.full.quota`

    A full refund is given once a calendar year.

    - Refuses: quota used up (`quota_exhausted`)
    - Holds: every site, always
    - Source: [Rules for returning what you bought](<https://example.com/rules>) (site intl, dated 2024-10-29)

    ### `ex.use.promotion`

    What was bought in a promotion that forbids returns stays.

    - Refuses: bought in a promotion (`promotion`)
    - Holds: every site, always
    - Source: [Rules for returning what you bought](<https://example.com/rules>) (site intl, dated 2024-10-29)

    ### `ex.use.invoiced`

    What an invoice was issued for stays until the invoice is given back.

    - Refuses: invoice issued (`invoiced`)
    - Holds: every site, from 2024-10-29
    - Source: [Rules for returning what you bought](<https://example.com/rules>) (site intl, dated 2024-10-29)
    - Bites in: `ex-7`, `ex-8`

    ### `ex.use.formula`

    Used days are kept at the price paid, and a fee of what was paid.

    - Holds: every site, always
    - Source: [Rules for returning what you bought](<https://example.com/rules>) (site intl, dated 2024-10-29)
    - Source: [Fees &amp; formulas](<https://example.com/fees?a=1&b=2>) (no date printed, second-hand)

    ### `ex.metered`

    What is metered has nothing paid ahead.

    - Refuses: pay as you go (`pay_as_you_go`)
    - Holds: every site, always
    - Source: [Rules for returning what you bought](<https://example.com/rules>) (site intl, dated 2024-10-29)

    ### `ex.review`

    The account manager looks at every return; after 24 hours it counts as approved.

    - Holds: every site, always
    - Note: the page does not say which days
    - Source: [Rules for returning what you bought](<https://example.com/rules>) (site intl, dated 2024-10-29)

    ### `ex.settlement`

    Money arrives within seven working days.

    - Holds: every site, always
    - Source: [Fees &amp; formulas](<https://example.com/fees?a=1&b=2>) (no date printed, second-hand)

    ### `ex.old`

    Returns are asked for by letter.

    - Text only: no assessment can show it
    - Holds: intl, until 2024-10-29
    - Source: [Fees &amp; formulas](<https://example.com/fees?a=1&b=2>) (no date printed, second-hand)

    ## Values

    ### `ex.fee`

    The fee, as a share of what was paid.

    | share | clause | holds |
    | ---: | --- | --- |
    | 0.05 | ex.use.formula | every site, until 2024-10-29 |
    | 0.1 | ex.use.formula | every site, from 2024-10-29 |

    ## Tables

    ### `ex.caps`

    The largest return of a product in a month. Clause `ex.full.quota`.

    | product | years | USD | holds |
    | --- | --- | ---: | --- |
    | vm | 1 | 5000 | every site, always |
    | vm | 3 | 15000 | every site, until 2024-10-29 |
    | vm | 3 | 12000 | every site, from 2024-10-29 |
    | disk | 1 | 800 | every site, from 2024-10-29 |

    ## Lists

    ### `ex.no-return`

    Products that are never returned. Clause `ex.use.promotion`. Holds: every site, from 2024-10-29.

    `disk`

    ## Pages

    - `S1` [Rules for returning what you bought](<https://example.com/rules>) (site intl, dated 2024-10-29)
    - `S2` [Fees &amp; formulas](<https://example.com/fees?a=1&b=2>) (no date printed, second-hand)
    "#);
}

#[test]
fn nothing_overflows() {
    let book = sample::book().unwrap();
    for width in 60..200 {
        let texts = [
            policy::list(&[book.policy()], &look(width)),
            policy::show(book.policy(), &look(width)),
            policy::diff(&book, None, day("2024-01-01"), day("2024-11-01"), &look(width)).unwrap(),
        ];
        for line in texts.iter().flat_map(|text| text.lines()) {
            assert!(line.width() <= width, "{line}");
        }
    }
}
