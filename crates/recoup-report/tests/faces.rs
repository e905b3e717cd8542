//! The faces as people see them, over answers that are awkward on purpose.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;

use recoup_core::prelude::*;
use recoup_core::refund::{RefundParts, Returned};
use recoup_core::ruling::{Refusal, RulingData, Unknown};
use recoup_core::stated::{Compared, Statement};
use recoup_core::vocab::Outcome;
use recoup_report::totals::Totals;
use recoup_report::{Answered, Format, Look, compare, explain, report, sample, write_all};
use unicode_width::UnicodeWidthStr;

const WIDTHS: [usize; 4] = [60, 80, 120, 200];

fn look(width: usize) -> Look {
    Look { width, ..Look::default() }
}

fn written(format: Format, answers: &[Answered], look: &Look) -> String {
    let mut out = Vec::new();
    write_all(report(format, &mut out, look).as_mut(), answers).unwrap();
    String::from_utf8(out).unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// A quote in which `paid` is divided into what is consumed, a fee, and what comes back in cash.
fn quote(currency: &str, paid: &str, consumed: &str, fee: &str) -> RefundQuote {
    let back = amount(paid) - amount(consumed) - amount(fee);
    RefundQuote::try_from(RefundParts {
        currency: currency.parse().unwrap(),
        paid: amount(paid),
        consumed: Some(amount(consumed)),
        fee: amount(fee),
        forfeited: Some(Amount::ZERO),
        returned: vec![Returned {
            instrument: Instrument::Cash,
            amount: back,
            to: Destination::AccountBalance,
            expires_at: None,
        }],
        released: None,
        carry_over: None,
        charge: None,
        proceeds: None,
    })
    .unwrap()
}

fn ruling(exit: Exit, refund: Option<RefundQuote>) -> RulingData {
    RulingData { refund, ..RulingData::new(exit) }
}

/// An answer made of rulings, best first. Beside a stopped renewal none is the best.
fn answered(provider: &str, id: &str, name: Option<&str>, rulings: Vec<RulingData>) -> Answered {
    let zone = Zone::fixed_hours(8);
    let at = Instant::parse("2024-11-20", zone).unwrap();
    let outcome = rulings[0].outcome();
    let best = Some(rulings[0].exit).filter(|_| rulings.len() == 1);
    let assessment = Assessment::from_rulings(rulings, outcome, best).unwrap();
    let subject = recoup_core::assessment::Subject {
        provider: provider.to_owned(),
        site: "intl".to_owned(),
        edition: Some("2024-10-29".to_owned()),
        account: None,
        resource: id.to_owned(),
        name: name.map(str::to_owned),
        product: "vm".to_owned(),
        at,
        zone,
    };
    Answered { subject, assessment, policy: Arc::new(sample::book().unwrap().policy().clone()), stated: Vec::new() }
}

/// The sample's three, and what strains a layout: wide characters, long ids, other currencies, a
/// resale, an exchange, a figure that is not known, a refusal for many reasons.
fn awkward() -> Vec<Answered> {
    let zone = Zone::fixed_hours(8);
    let mut answers = sample::answers().unwrap();
    let mut resale = ruling(
        Exit::Resale,
        Some(RefundQuote::resale(
            Currency::EUR,
            amount("900.00"),
            amount("500.00"),
            &Exact::from(60),
            Destination::BankAccount,
        )),
    );
    resale.until = Some(Instant::parse("2025-03-01", zone).unwrap());
    answers.push(answered(
        "example",
        "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0",
        Some("reserved capacity for the shop"),
        vec![resale],
    ));
    let mut yen =
        ruling(Exit::CancelReservation, Some(quote("JPY", "120000", "15000", "0").charging(&Exact::from(3_000))));
    yen.effective_at = Some(Instant::parse("2024-12-01", zone).unwrap());
    answers.push(answered("another", "予約-東京-01", Some("東京リージョンの予約インスタンス"), vec![yen]));
    let mut open = ruling(Exit::Exchange, None);
    open.unknowns.push(Unknown {
        clause: ClauseId(4),
        reason: Reason::PriceUnknown,
        fact: Some("orders".into()),
        assumed: None,
    });
    open.unknowns.push(Unknown {
        clause: ClauseId(3),
        reason: Reason::Invoiced,
        fact: Some("invoiced".into()),
        assumed: Some(false),
    });
    answers.push(answered("another", "sp-1", None, vec![open]));
    let mut refused = ruling(Exit::InUse, Some(quote("USD", "10.00", "10.00", "0")));
    for (clause, reason) in
        [(0, Reason::WindowClosed), (2, Reason::Promotion), (3, Reason::Invoiced), (1, Reason::QuotaExhausted)]
    {
        refused.refusals.push(Refusal { clause: ClauseId(clause), reason });
    }
    answers.push(answered(
        "another",
        "vm-9",
        Some("<b>bold</b> & \"co\""),
        vec![refused, ruling(Exit::StopRenewal, None)],
    ));
    answers
}

fn fits(text: &str, width: usize) {
    for line in text.lines() {
        assert!(line.width() <= width, "{} > {width}: {line}", line.width());
        assert!(!line.ends_with(' '), "{line:?}");
    }
}

/// Answers of several providers to the sample's resources.
fn several(providers: &[&str]) -> Vec<Answered> {
    let mut answers = Vec::new();
    for &provider in providers {
        answers.extend(sample::answers().unwrap().into_iter().map(|mut answer| {
            answer.subject.provider = provider.to_owned();
            answer
        }));
    }
    // What a provider could not assess stays visible.
    answers.pop();
    answers
}

/// Amounts at the edges of what can be read.
fn huge() -> Vec<Answered> {
    let most = "999999999999999.00";
    let mut answers = awkward();
    answers.push(answered(
        "example",
        "x",
        None,
        vec![ruling(Exit::InUse, Some(quote("USD", most, "0", "0.000000000000000001")))],
    ));
    answers
}

#[test]
fn table_on_a_narrow_terminal() {
    insta::assert_snapshot!(written(Format::Table, &awkward(), &look(60)), @r#"
    resource            outcome      best exit            refund
    ──────────────────  ───────────  ────────────  ─────────────
    vm-1                allowed      full refund     1200.00 USD
        example; web server; product vm; kept 0.00 USD; coupons
        back: 20.00 USD; until 2024-11-23
    vm-2                conditional  in use           309.50 USD
        example; batch worker; product vm; kept 75.50 USD; if
        invoiced=false; reviewed by account manager
    vm-3                refused      -                         -
        example; 云服务器; product vm; pay as you go
    0b1c2d3e-4f50-      allowed      resale           440.00 EUR
    6172-8394-
    a5b6c7d8e9f0
        example; reserved capacity for the shop; product vm;
        kept 60.00 EUR; sold for 500.00 EUR; until 2025-03-01
    予約-東京-01        allowed      cancel        105000.00 JPY
                                     reservation
        another; 東京リージョンの予約インスタンス; product vm;
        kept 15000.00 JPY; costs 3000.00 JPY; takes effect
        2024-12-01
    sp-1                conditional  exchange            unknown
        another; product vm; if invoiced=false; to check: orders
        (price not known)
    vm-9                refused      -                         -
        another; <b>bold</b> & "co"; product vm; time window
        closed, bought in a promotion, invoice issued, quota
        used up; renewal can be stopped

    7 resources: 3 allowed, 2 conditional, 2 refused; 1 with no
    known figure, in no sum

    total        currency  resources     refund      kept
    allowed      EUR               1     440.00     60.00
    allowed      JPY               1  105000.00  15000.00
    allowed      USD               1    1200.00      0.00
    conditional  USD               1     309.50     75.50
    allowed: charged 3000.00 JPY
    allowed: coupons back 20.00 USD
    "#);
}

#[test]
fn table_on_a_common_terminal() {
    insta::assert_snapshot!(written(Format::Table, &awkward(), &look(80)), @r#"
    provider  resource          outcome      best exit            refund  until
    ────────  ────────────────  ───────────  ────────────  ─────────────  ──────────
    example   vm-1              allowed      full refund     1200.00 USD  2024-11-23
        web server; product vm; kept 0.00 USD; coupons back: 20.00 USD
    example   vm-2              conditional  in use           309.50 USD  -
        batch worker; product vm; kept 75.50 USD; if invoiced=false; reviewed by
        account manager
    example   vm-3              refused      -                         -  -
        云服务器; product vm; pay as you go
    example   0b1c2d3e-4f50-    allowed      resale           440.00 EUR  2025-03-01
              6172-8394-
              a5b6c7d8e9f0
        reserved capacity for the shop; product vm; kept 60.00 EUR; sold for
        500.00 EUR
    another   予約-東京-01      allowed      cancel        105000.00 JPY  -
                                             reservation
        東京リージョンの予約インスタンス; product vm; kept 15000.00 JPY; costs
        3000.00 JPY; takes effect 2024-12-01
    another   sp-1              conditional  exchange            unknown  -
        product vm; if invoiced=false; to check: orders (price not known)
    another   vm-9              refused      -                         -  -
        <b>bold</b> & "co"; product vm; time window closed, bought in a promotion,
        invoice issued, quota used up; renewal can be stopped

    7 resources: 3 allowed, 2 conditional, 2 refused; 1 with no known figure, in no
    sum

    total        currency  resources     refund      kept  coupons back  charged
    allowed      EUR               1     440.00     60.00             -        -
    allowed      JPY               1  105000.00  15000.00             -  3000.00
    allowed      USD               1    1200.00      0.00         20.00        -
    conditional  USD               1     309.50     75.50             -        -
    "#);
}

#[test]
fn table_of_one_provider() {
    insta::assert_snapshot!(written(Format::Table, &sample::answers().unwrap(), &look(120)), @r#"
    example, site intl

    resource  name          product  outcome      best exit         refund       kept  until       why
    ────────  ────────────  ───────  ───────────  ───────────  ───────────  ─────────  ──────────  ─────────────────────────
    vm-1      web server    vm       allowed      full refund  1200.00 USD   0.00 USD  2024-11-23  coupons back: 20.00 USD
    vm-2      batch worker  vm       conditional  in use        309.50 USD  75.50 USD  -           if invoiced=false;
                                                                                                   reviewed by account
                                                                                                   manager
    vm-3      云服务器      vm       refused      -                      -          -  -           pay as you go

    3 resources: 1 allowed, 1 conditional, 1 refused

    total        currency  resources   refund   kept  coupons back
    allowed      USD               1  1200.00   0.00         20.00
    conditional  USD               1   309.50  75.50             -
    "#);
}

#[test]
fn table_on_a_wide_terminal() {
    insta::assert_snapshot!(written(Format::Table, &awkward(), &look(200)), @r#"
    provider  resource                              name                  product  outcome      best exit            refund          kept  until                    why
    ────────  ────────────────────────────────────  ────────────────────  ───────  ───────────  ────────────  ─────────────  ────────────  ───────────────────────  ────────────────────────────────────────
    example   vm-1                                  web server            vm       allowed      full refund     1200.00 USD      0.00 USD  2024-11-23 00:00 +08:00  coupons back: 20.00 USD
    example   vm-2                                  batch worker          vm       conditional  in use           309.50 USD     75.50 USD  -                        if invoiced=false; reviewed by account
                                                                                                                                                                    manager
    example   vm-3                                  云服务器              vm       refused      -                         -             -  -                        pay as you go
    example   0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0  reserved capacity     vm       allowed      resale           440.00 EUR     60.00 EUR  2025-03-01 00:00 +08:00  sold for 500.00 EUR
                                                    for the shop
    another   予約-東京-01                          東京リージョンの予約  vm       allowed      cancel        105000.00 JPY  15000.00 JPY  -                        costs 3000.00 JPY; takes effect
                                                    インスタンス                                reservation                                                         2024-12-01
    another   sp-1                                                        vm       conditional  exchange            unknown       unknown  -                        if invoiced=false; to check: orders
                                                                                                                                                                    (price not known)
    another   vm-9                                  <b>bold</b> & "co"    vm       refused      -                         -             -  -                        time window closed, bought in a
                                                                                                                                                                    promotion, invoice issued, quota used
                                                                                                                                                                    up; renewal can be stopped

    7 resources: 3 allowed, 2 conditional, 2 refused; 1 with no known figure, in no sum

    total        currency  resources     refund      kept  coupons back  charged
    allowed      EUR               1     440.00     60.00             -        -
    allowed      JPY               1  105000.00  15000.00             -  3000.00
    allowed      USD               1    1200.00      0.00         20.00        -
    conditional  USD               1     309.50     75.50             -        -
    "#);
}

#[test]
fn table_where_no_columns_fit() {
    let answers = vec![huge().pop().unwrap(), awkward().swap_remove(4)];
    insta::assert_snapshot!(written(Format::Table, &answers, &look(60)), @r#"
    example x
      outcome  allowed
      exit     in use
      product  vm
      refund   999999999999998.999999999999999999 USD
      kept     0.000000000000000001 USD
    another 予約-東京-01 東京リージョンの予約インスタンス
      outcome  allowed
      exit     cancel reservation
      product  vm
      refund   105000.00 JPY
      kept     15000.00 JPY
      why      costs 3000.00 JPY; takes effect 2024-12-01

    2 resources: 2 allowed, 0 conditional, 0 refused

    allowed
      currency   JPY
      resources  1
      refund     105000.00
      kept       15000.00
    allowed
      currency   USD
      resources  1
      refund     999999999999998.999999999999999999
      kept       0.000000000000000001
    allowed: charged 3000.00 JPY
    "#);
}

#[test]
fn nothing_overflows_and_no_amount_is_cut() {
    for answers in [awkward(), huge(), sample::answers().unwrap(), Vec::new()] {
        for width in (60..=220).step_by(5).chain([0]) {
            let limit = width.max(60);
            let table = written(Format::Table, &answers, &look(width));
            fits(&table, limit);
            fits(&compare::compare(&answers, &look(width)), limit);
            fits(&compare::compare(&several(&["first", "second", "third", "fourth"]), &look(width)), limit);
            for answer in &answers {
                fits(&explain::explain(answer, &look(width)), limit);
                let refund = answer.assessment.ruling(answer.assessment.best().unwrap_or(Exit::None));
                if let Some(quote) = refund.and_then(|ruling| ruling.refund.as_ref()) {
                    // Alignment may put spaces between the decimals and the currency.
                    let whole = quote.refund().to_string();
                    assert!(table.contains(&whole), "{whole} at {width}");
                }
            }
        }
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    for width in WIDTHS {
        let plain = written(Format::Table, &awkward(), &look(width));
        let coloured = written(Format::Table, &awkward(), &Look { colour: true, ..look(width) });
        assert!(coloured.contains("\u{1b}[1;34mallowed\u{1b}[0m"));
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            bare.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        bare.push_str(rest);
        assert_eq!(bare, plain);
    }
}

#[test]
fn totals_conserve() {
    let mut totals = Totals::default();
    for answer in &awkward() {
        totals.add(answer);
    }
    for (_, _, sum) in totals.sums() {
        assert_eq!(sum.paid, sum.refund + sum.coupons + sum.kept + sum.carried_over);
    }
    let summed: usize = totals.sums().map(|(_, _, sum)| sum.resources).sum();
    let open = [Outcome::Allowed, Outcome::Conditional];
    let gaps: usize = open.iter().map(|outcome| totals.without_figure(*outcome)).sum();
    assert_eq!(summed + gaps + totals.count(Outcome::Refused), totals.resources());
}

#[test]
fn explanation_of_a_conditional_answer() {
    insta::assert_snapshot!(explain::explain(&awkward()[1], &look(80)), @r#"
    vm-2  batch worker
      provider  Example Cloud, site intl, edition 2024-10-29
      product   vm
      account   team-1
      asked at  2024-11-20 00:00 +08:00 (2024-11-19 16:00 UTC)
      answer    conditional: in use, refund 309.50 USD (if invoiced=false; reviewed
                by account manager)

    1. in use: conditional (best)
       not known
         - invoice issued: ex.use.invoiced
           What an invoice was issued for stays until the invoice is given back
           check: invoiced; assumed false
           source: Rules for returning what you bought (site intl, dated 2024-10-29)
                   https://example.com/rules
       money in USD, as far as it is known
         consumed                        19.00 USD
         fee                             36.50 USD
         forfeited                       20.00 USD
         back: cash to account balance  309.50 USD
                                        ──────────
       = paid                           385.00 USD
         refund in money                309.50 USD
       review        by account manager; approved by itself after 24 hours
                     (ex.review: The account manager looks at every return; after 24
                     hours it counts as approved)
       settlement    within 7 business days
       effects       cannot be undone; data is deleted; coupons are lost
       where         in the console
       step by step
         passes    ex.use.promotion: What was bought in a promotion that forbids
                   returns stays
         unknown   ex.use.invoiced: What an invoice was issued for stays until the
                   invoice is given back
         applies   ex.use.formula: Used days are kept at the price paid, and a fee
                   of what was paid
                   source: Rules for returning what you bought (site intl, dated
                           2024-10-29)
                           https://example.com/rules
                   source: Fees & formulas (no date printed, second-hand)
                           https://example.com/fees?a=1&b=2
         figure    consumed: 365.00 x 19 / 365 days = 19.00
         figure    fee: 365.00 x 0.1 = 36.50
         applies   ex.review: The account manager looks at every return; after 24
                   hours it counts as approved
                   source: Rules for returning what you bought (site intl, dated
                           2024-10-29)
                           https://example.com/rules
         applies   ex.settlement: Money arrives within seven working days
                   source: Fees & formulas (no date printed, second-hand)
                           https://example.com/fees?a=1&b=2

    2. full refund: refused
       refused by
         - time window closed: ex.full.window
           Within five days of buying, everything that was paid comes back
           source: Rules for returning what you bought (site intl, dated 2024-10-29)
                   https://example.com/rules
       money in USD, if it were open
         consumed                         0.00 USD
         fee                              0.00 USD
         forfeited                        0.00 USD
         back: cash to account balance  365.00 USD
         back as cash coupon             20.00 USD
                                        ──────────
       = paid                           385.00 USD
         refund in money                365.00 USD
       quota         five_day_returns (calendar year): draws 1, 0 used of 1
       effects       cannot be undone; data is deleted
       where         in the console
       step by step
         refuses   ex.full.window: Within five days of buying, everything that was
                   paid comes back
         passes    ex.full.quota: A full refund is given once a calendar year
    "#);
}

#[test]
fn explanation_of_a_resale() {
    insta::assert_snapshot!(explain::explain(&awkward()[3], &look(60)), @r#"
    0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0 reserved capacity for
    the shop
      provider  Example Cloud, site intl, edition 2024-10-29
      product   vm
      asked at  2024-11-20 00:00 +08:00 (2024-11-19 16:00 UTC)
      answer    allowed: resale, refund 440.00 EUR (sold for
                500.00 EUR)

    1. resale: allowed (best)
       money in EUR
         fee                          60.00 EUR
         back: cash to bank account  440.00 EUR
                                     ──────────
       = proceeds                    500.00 EUR
         refund in money             440.00 EUR
         paid before                 900.00 EUR
       until         2025-03-01 00:00 +08:00 (2025-02-28 16:00
                     UTC)
    "#);
}

#[test]
fn comparison_side_by_side() {
    insta::assert_snapshot!(compare::compare(&several(&["first", "second", "third"]), &look(80)), @r#"
    resource      first          second         third
    ────────────  ─────────────  ─────────────  ────────────
    vm-1          allowed        allowed        allowed
    web server    full refund    full refund    full refund
                  1200.00 USD    1200.00 USD    1200.00 USD
    vm-2          conditional    conditional    conditional
    batch worker  in use         in use         in use
                  309.50 USD     309.50 USD     309.50 USD
    vm-3          refused        refused        not assessed
    云服务器      pay as you go  pay as you go
    "#);
}

#[test]
fn comparison_stacked() {
    insta::assert_snapshot!(compare::compare(&several(&["first", "second", "third", "fourth"]), &look(60)), @r#"
      provider  outcome       best exit         refund
    vm-1  web server
      first     allowed       full refund  1200.00 USD
          coupons back: 20.00 USD
      second    allowed       full refund  1200.00 USD
          coupons back: 20.00 USD
      third     allowed       full refund  1200.00 USD
          coupons back: 20.00 USD
      fourth    allowed       full refund  1200.00 USD
          coupons back: 20.00 USD
    vm-2  batch worker
      first     conditional   in use        309.50 USD
          if invoiced=false; reviewed by account manager
      second    conditional   in use        309.50 USD
          if invoiced=false; reviewed by account manager
      third     conditional   in use        309.50 USD
          if invoiced=false; reviewed by account manager
      fourth    conditional   in use        309.50 USD
          if invoiced=false; reviewed by account manager
    vm-3  云服务器
      first     refused       -                      -
          pay as you go
      second    refused       -                      -
          pay as you go
      third     refused       -                      -
          pay as you go
      fourth    not assessed
    "#);
}

#[test]
fn comparison_in_markdown() {
    insta::assert_snapshot!(compare::compare_markdown(&several(&["first", "second", "third"])), @r#"
    | resource | first | second | third |
    | --- | --- | --- | --- |
    | vm-1 web server | allowed<br>full refund<br>1200.00 USD | allowed<br>full refund<br>1200.00 USD | allowed<br>full refund<br>1200.00 USD |
    | vm-2 batch worker | conditional<br>in use<br>309.50 USD | conditional<br>in use<br>309.50 USD | conditional<br>in use<br>309.50 USD |
    | vm-3 云服务器 | refused<br>pay as you go | refused<br>pay as you go | not assessed |
    "#);
}

#[test]
fn markdown_page() {
    insta::assert_snapshot!(written(Format::Markdown, &awkward(), &look(80)), @r#"
    # What can be returned

    | provider | resource | name | product | outcome | best exit | refund | kept | until | why |
    | --- | --- | --- | --- | --- | --- | ---: | ---: | --- | --- |
    | example | vm-1 | web server | vm | allowed | full refund | 1200.00 USD | 0.00 USD | 2024-11-23 00:00 +08:00 | coupons back: 20.00 USD |
    | example | vm-2 | batch worker | vm | conditional | in use | 309.50 USD | 75.50 USD | - | if invoiced=false; reviewed by account manager |
    | example | vm-3 | 云服务器 | vm | refused | - | - | - | - | pay as you go |
    | example | 0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0 | reserved capacity for the shop | vm | allowed | resale | 440.00 EUR | 60.00 EUR | 2025-03-01 00:00 +08:00 | sold for 500.00 EUR |
    | another | 予約-東京-01 | 東京リージョンの予約インスタンス | vm | allowed | cancel reservation | 105000.00 JPY | 15000.00 JPY | - | costs 3000.00 JPY; takes effect 2024-12-01 |
    | another | sp-1 |  | vm | conditional | exchange | unknown | unknown | - | if invoiced=false; to check: orders (price not known) |
    | another | vm-9 | &lt;b&gt;bold&lt;/b&gt; &amp; "co" | vm | refused | - | - | - | - | time window closed, bought in a promotion, invoice issued, quota used up; renewal can be stopped |

    7 resources: 3 allowed, 2 conditional, 2 refused; 1 with no known figure, in no sum.

    | total | currency | resources | refund | kept | coupons back | charged |
    | --- | --- | ---: | ---: | ---: | ---: | ---: |
    | allowed | EUR | 1 | 440.00 | 60.00 | - | - |
    | allowed | JPY | 1 | 105000.00 | 15000.00 | - | 3000.00 |
    | allowed | USD | 1 | 1200.00 | 0.00 | 20.00 | - |
    | conditional | USD | 1 | 309.50 | 75.50 | - | - |
    "#);
}

#[test]
fn html_escapes_what_comes_from_outside() {
    let hostile = "</td><script>alert(1)</script>\"'&\u{202e}";
    let mut answer = awkward().swap_remove(6);
    answer.subject.name = Some(hostile.to_owned());
    answer.subject.resource = hostile.to_owned();
    answer.subject.provider = hostile.to_owned();
    answer.subject.product = hostile.to_owned();
    answer.subject.account = Some(hostile.to_owned());
    let mut policy = sample::book().unwrap().policy().clone();
    policy.sources[0].url = "javascript:alert(1)".to_owned();
    policy.clauses[0].says = hostile.to_owned();
    answer.policy = Arc::new(policy);
    let page = written(Format::Html, &[answer], &Look { title: hostile.to_owned(), ..look(80) });
    assert!(!page.contains("<script") && !page.contains("href=\"javascript") && !page.contains('\u{202e}'));
    assert!(page.contains("&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\u{fffd}"));
}

#[test]
fn html_of_one_resource() {
    let page = written(Format::Html, &awkward()[1..2], &look(80));
    let (row, details) = page.split_once("<tbody>").unwrap().1.split_once("<details>").unwrap();
    insta::assert_snapshot!(row.replace("<td", "\n<td"), @r#"
    <tr>
    <td data-l="provider"><span>example<br><span class="soft">intl</span></span></td>
    <td class="what" data-l="resource"><span><bdi class="id">vm-2</bdi><br><bdi>batch worker</bdi></span></td>
    <td data-l="product">vm</td>
    <td data-l="outcome"><span><span class="badge conditional">? conditional</span></span></td>
    <td data-l="best exit">in use</td>
    <td class="num" data-l="refund">309.50 USD</td>
    <td class="num" data-l="kept">75.50 USD</td>
    <td class="when" data-l="until">-</td>
    <td class="why" data-l="why">if invoiced=false; reviewed by account manager</td></tr>
    <tr class="more">
    <td colspan="9">
    "#);
    for part in [
        "<b>invoice issued</b> <code>ex.use.invoiced</code>",
        "Check: invoiced; assumed false",
        "<a href=\"https://example.com/fees?a=1&amp;b=2\" rel=\"noreferrer\">Fees &amp; formulas</a> (no date printed, second-hand)",
        "<td>back: cash to account balance</td><td class=\"num\">309.50</td>",
        "<td>= paid</td><td class=\"num\">385.00</td>",
        "<dt>quota</dt><dd>five_day_returns (calendar year): draws 1, 0 used of 1</dd>",
        "<dt>settlement</dt><dd>within 7 business days</dd>",
    ] {
        assert!(details.contains(part), "{part}");
    }
}

#[test]
fn no_resources_at_all() {
    insta::assert_snapshot!(written(Format::Table, &[], &look(80)), @r#"
    0 resources: 0 allowed, 0 conditional, 0 refused
    "#);
    assert!(written(Format::Html, &[], &look(80)).contains("0 resources"));
}

#[test]
fn ten_thousand_rows() {
    let answers: Vec<Answered> = awkward().into_iter().cycle().take(10_000).collect();
    for format in [Format::Table, Format::Markdown, Format::Html, Format::Csv] {
        assert!(written(format, &answers, &look(80)).lines().count() > 10_000);
    }
}

/// What a provider states of the sample's first two resources: it agrees, it differs, it cannot be compared.
fn with_statements() -> Vec<Answered> {
    let zone = Zone::fixed_hours(8);
    let mut answers = sample::answers().unwrap();
    let mut until = Statement::by("returnableUntil");
    (until.exit, until.until) = (Some(Exit::FullRefund), Some(Instant::parse("2024-11-23", zone).unwrap()));
    let mut quote = Statement::by("refundQuote");
    (quote.exit, quote.currency) = (Some(Exit::InUse), "USD".parse().ok());
    (quote.refund, quote.fee) = (Some(amount("300.00")), Some(amount("36.50")));
    quote.at = Some(Instant::parse("2024-11-19", zone).unwrap());
    let mut closed = Statement::by("refundable");
    (closed.allowed, closed.says) = (Some(false), Some("E-17 <closed>".to_owned()));
    for (index, statement) in [(0, until), (1, quote), (1, closed)] {
        let answer = &mut answers[index];
        let compared = Compared::of(&statement, &answer.assessment, answer.subject.at, |_, _| true);
        answer.stated.push(compared);
    }
    answers.truncate(2);
    answers
}

#[test]
fn the_provider_s_own_answer_in_every_face() {
    let answers = with_statements();
    insta::assert_snapshot!("stated_table", written(Format::Table, &answers, &look(100)));
    insta::assert_snapshot!("stated_markdown", written(Format::Markdown, &answers, &look(100)));
    let explained = explain::explain(&answers[1], &look(80));
    insta::assert_snapshot!("stated_explained", explained.lines().take(18).collect::<Vec<_>>().join("\n"));
    let page = written(Format::Html, &answers, &look(100));
    assert!(page.contains("<h3>The provider's own answer</h3>") && page.contains("&lt;closed&gt;"));
    let csv = written(Format::Csv, &answers, &look(100));
    let ends: Vec<String> = csv
        .lines()
        .map(|line| line.rsplitn(11, ',').take(10).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(","))
        .collect();
    insta::assert_snapshot!("stated_csv", ends.join("\n"));
}

#[test]
fn a_comparison_names_the_product_where_it_is_another() {
    let mut answers = several(&["one", "two"]);
    answers.truncate(4);
    answers[3].subject.product = "reservation".to_owned();
    let narrow = compare::compare(&answers, &look(70));
    assert!(narrow.contains("as vm") && narrow.contains(" reservation\n"), "{narrow}");
    fits(&narrow, 70);
    let many: Vec<Answered> = ["one", "two", "three", "four", "five", "six", "seven"]
        .iter()
        .flat_map(|provider| several(&[provider]).into_iter().take(1))
        .enumerate()
        .map(|(index, mut answer)| {
            answer.subject.product = format!("p-{}", index / 6);
            answer
        })
        .collect();
    let stacked = compare::compare(&many, &look(90));
    assert!(stacked.contains("one: p-0") && stacked.contains("seven: p-1"), "{stacked}");
    let markdown = compare::compare_markdown(&answers);
    assert!(markdown.contains("<br>as reservation |"), "{markdown}");
    // The same product everywhere is not repeated.
    assert!(!compare::compare_markdown(&several(&["one", "two"])).contains("<br>as "));
}
