//! ListCustomerOrders and ShowCustomerOrderDetails.

use recoup_core::fact::Flag;
use recoup_core::import::{Misfit, Place};
use recoup_core::money::{Amount, Currency, Exact};
use recoup_core::record::OrderRecord;
use recoup_core::resource::{Payment, Term};
use recoup_core::vocab::{Instrument, OrderKind, OrderStatus, TermUnit};

use super::API_TIME;
use super::resources::misfit;

/// What an order is for, as far as it concerns a resource that was bought ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It bought or changed something.
    Of(OrderKind),
    /// It bought a trial.
    Trial,
    /// It gave something back.
    Unsubscription,
    /// It adjusted a fee.
    Adjustment,
}

/// An order, with its lines where the details are there.
#[derive(Debug)]
pub(super) struct Bought {
    pub(super) id: String,
    pub(super) account: Option<String>,
    pub(super) service: Option<String>,
    pub(super) purpose: Purpose,
    /// Whether the provider is still at it.
    pub(super) in_progress: bool,
    pub(super) order: OrderRecord,
    pub(super) resources: Vec<String>,
    pub(super) lines: Vec<Line>,
    /// The parts of a combined order, by number.
    pub(super) parts: Vec<String>,
}

/// A line of an order.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) path: String,
    pub(super) id: Option<String>,
    pub(super) order_id: Option<String>,
    pub(super) service: Option<String>,
    pub(super) product_id: Option<String>,
    pub(super) description: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) billed_once: bool,
    pub(super) order: OrderRecord,
}

/// Reads an order of the list.
pub(super) fn listed(item: &Place<'_>) -> Result<Bought, Misfit> {
    let id = item.any(&["order_id", "orderId"]).required()?;
    let (purpose, kind) = purpose(item)?;
    let state = item.get("status");
    let (status, in_progress) = status(&state)?;
    let mut order = OrderRecord::new(kind, status);
    order.id = Some(id.clone());
    order.placed_at = item.any(&["create_time", "createTime"]).instant(API_TIME)?;
    order.paid_at = item.any(&["payment_time", "paymentTime"]).instant(API_TIME)?;
    money(item, item, &mut order)?;
    // A change that gave money back made the resource smaller.
    if kind == OrderKind::Upgrade && amount_after_discount(item)?.is_some_and(Amount::is_negative) {
        order.kind = OrderKind::Downgrade;
    }
    if in_progress {
        order.facts.flags.set(Flag::TransactionInProgress, true);
    }
    if let Some(by_partner) =
        item.any(&["agent_pay_info", "agentPayInfo"]).any(&["is_agent_pay", "isAgentPay"]).truth()?
    {
        order.facts.flags.set(Flag::PaidByPartner, by_partner);
    }
    let mut resources = Vec::new();
    for resource in item.any(&["resource_ids", "resourceIds"]).items()? {
        resources.extend(resource.text()?);
    }
    let mut parts = Vec::new();
    for part in item.any(&["sub_order_infos", "subOrderInfos"]).items()? {
        parts.extend(part.any(&["order_id", "orderId"]).text()?);
    }
    let account = item.any(&["customer_id", "customerId"]).text()?;
    let service = item.any(&["service_type_code", "serviceType"]).text()?;
    Ok(Bought { id, account, service, purpose, in_progress, order, resources, lines: Vec::new(), parts })
}

/// Reads an order's details; lines that cannot be read come back as what is wrong with them.
pub(super) fn details(answer: &Place<'_>, items: &[Place<'_>]) -> Result<(Bought, Vec<Misfit>), Misfit> {
    let info = answer.any(&["order_info", "orderInfo"]);
    let mut bought = listed(&info)?;
    let mut bad = Vec::new();
    for item in items {
        match line(item, &info, &bought.order) {
            Ok(line) => bought.lines.push(line),
            Err(misfit) => bad.push(misfit),
        }
    }
    Ok((bought, bad))
}

fn line(item: &Place<'_>, info: &Place<'_>, whole: &OrderRecord) -> Result<Line, Misfit> {
    let mut order = whole.clone();
    order.starts_at = item.any(&["effective_time", "validTime"]).instant(API_TIME)?;
    order.ends_at = item.any(&["expire_time", "expireTime"]).instant(API_TIME)?;
    order.quantity = item.any(&["subscription_num", "subscriptionNum"]).decimal()?;
    let period = item.any(&["period_type", "periodType"]).whole()?;
    order.term = term(period, &item.any(&["period_num", "periodNum"]))?;
    money(item, info, &mut order)?;
    // A line of a combined order belongs to one of its parts.
    let order_id = item.any(&["order_id", "orderId"]).text()?;
    order.id = order_id.clone().or(order.id);
    Ok(Line {
        path: item.path.clone(),
        id: item.any(&["order_line_item_id", "orderLineItemId"]).text()?,
        order_id,
        service: item.any(&["service_type_code", "cloudServiceType"]).text()?,
        product_id: item.any(&["product_id", "productId"]).text()?,
        description: item.any(&["product_spec_desc", "productSpecDesc"]).text()?,
        resource: item.any(&["resource_id", "resourceId"]).text()?,
        billed_once: period == Some(5),
        order,
    })
}

/// Period types: 0 day, 1 week, 2 month, 3 year, 4 hour; the others are no terms.
fn term(period: Option<i64>, count: &Place<'_>) -> Result<Option<Term>, Misfit> {
    let (unit, times) = match period {
        Some(0) => (TermUnit::Day, 1),
        Some(1) => (TermUnit::Week, 1),
        Some(2) => (TermUnit::Month, 1),
        Some(3) => (TermUnit::Month, 12),
        Some(4) => (TermUnit::Hour, 1),
        _ => return Ok(None),
    };
    let Some(found) = count.whole()? else { return Ok(None) };
    let count = u32::try_from(found)
        .ok()
        .and_then(|found| found.checked_mul(times))
        .ok_or_else(|| misfit(count, "a number of periods"))?;
    Ok(Some(Term { unit, count }))
}

fn purpose(item: &Place<'_>) -> Result<(Purpose, OrderKind), Misfit> {
    let place = item.any(&["order_type", "orderType"]);
    let of = |kind| Ok((Purpose::Of(kind), kind));
    match place.whole()? {
        Some(1) => of(OrderKind::Purchase),
        Some(2) => of(OrderKind::Renewal),
        Some(3) => of(OrderKind::Upgrade),
        Some(4) => Ok((Purpose::Unsubscription, OrderKind::Purchase)),
        // To pay-per-use, from pay-per-use, from trial to commercial use.
        Some(10 | 11 | 14) => of(OrderKind::Conversion),
        Some(13) => Ok((Purpose::Trial, OrderKind::Purchase)),
        Some(15) => Ok((Purpose::Adjustment, OrderKind::Purchase)),
        _ => Err(misfit(&place, "an order type: 1 to 4, 10, 11 or 13 to 15")),
    }
}

/// What became of the order, and whether the provider is still at it.
fn status(place: &Place<'_>) -> Result<(OrderStatus, bool), Misfit> {
    match place.whole()? {
        // Pending review, pending payment, to be confirmed.
        Some(1 | 6 | 9) => Ok((OrderStatus::Unpaid, false)),
        // Pending refund, processing, on its way, exchanging.
        Some(2 | 3 | 10..=13) => Ok((OrderStatus::Paid, true)),
        Some(4) => Ok((OrderStatus::Cancelled, false)),
        Some(5) => Ok((OrderStatus::Paid, false)),
        _ => Err(misfit(place, "an order status: 1 to 6 or 9 to 13")),
    }
}

fn amount_after_discount(item: &Place<'_>) -> Result<Option<Amount>, Misfit> {
    item.any(&["amount_after_discount", "currencyAfterDiscount"]).decimal()
}

/// Prices and payments of an order or a line of it; the unit stands on the order.
///
/// The price after discounts is what was really paid, without coupons and cards, which stand beside
/// it. Whether balance, credit or an online payment paid is not told: it counts as balance.
fn money(item: &Place<'_>, info: &Place<'_>, order: &mut OrderRecord) -> Result<(), Misfit> {
    let measure = info.any(&["measure_id", "measureId"]);
    // In version 1 `currency` is an amount and the code stands in `currencyType`.
    let code = match item.any(&["currencyType", "currency_type"]).text()? {
        Some(code) => Some(code),
        None => item.get("currency").text()?.filter(|code| code.chars().all(char::is_alphabetic)),
    };
    if let Some(code) = code {
        let parsed = code.parse::<Currency>();
        order.currency = Some(parsed.map_err(|_| misfit(&item.any(&["currencyType", "currency"]), "a currency code"))?);
    }
    let official: Option<Amount> = item.any(&["official_amount", "currencyOfficial"]).decimal()?;
    order.list_price = in_units(official, &measure)?.filter(|amount| !amount.is_negative());
    order.due = None;
    order.payments = None;
    let Some(paid) = in_units(amount_after_discount(item)?, &measure)? else { return Ok(()) };
    if paid.is_negative() {
        return Ok(());
    }
    let info = item.any(&["amount_info", "amountInfo"]);
    if info.value.is_none() && !paid.is_zero() {
        // Nothing is said of coupons and cards, so nobody knows what else paid.
        return Ok(());
    }
    let mut payments = Vec::new();
    let mut pay = |instrument, amount: Option<Amount>| {
        if let Some(amount) = amount.filter(|amount| amount.is_positive()) {
            payments.push(Payment { instrument, amount, expires_at: None });
        }
    };
    pay(Instrument::Cash, Some(paid));
    for (instrument, names) in [
        (Instrument::FlexiCoupon, ["flexipurchase_coupon_amount", "cashcouponAmount"]),
        (Instrument::CashCoupon, ["coupon_amount", "couponAmount"]),
        (Instrument::StoredValueCard, ["stored_card_amount", "cardAmount"]),
    ] {
        pay(instrument, in_units(info.any(&names).decimal()?, &measure)?);
    }
    for discount in info.any(&["discounts", "discountList"]).items()? {
        // 300 is a discount coupon; cash and flexi coupons (301, 302) have fields of their own.
        if discount.any(&["discount_type", "discountType"]).text()?.as_deref() == Some("300") {
            let amount = discount.any(&["discount_amount", "discountAmount"]).decimal()?;
            pay(Instrument::DiscountCoupon, in_units(amount, &measure)?);
        }
    }
    order.due = Some(payments.iter().map(|payment| payment.amount).sum());
    order.payments = Some(payments);
    Ok(())
}

/// An amount in the currency's unit: measure 1 is that unit (yuan), 3 its hundredth (fen). Without a
/// measure nobody knows the amount.
pub(super) fn in_units(amount: Option<Amount>, measure: &Place<'_>) -> Result<Option<Amount>, Misfit> {
    let Some(amount) = amount else { return Ok(None) };
    match measure.whole()? {
        Some(1) => Ok(Some(amount)),
        Some(3) => Ok(Some(Exact::from(amount).times_ratio(1, 100).to_amount())),
        None => Ok(None),
        Some(_) => Err(misfit(measure, "1 (the currency's unit) or 3 (its hundredth)")),
    }
}
