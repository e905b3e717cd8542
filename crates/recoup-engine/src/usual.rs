//! The same money, term and dates as each provider usually sells them.
//!
//! A year of a server bought as a subscription at one provider is a savings plan at another and a licence
//! at a third. What it is there, the provider's policy says (`usual`); the rest of the record stays.

use recoup_core::money::{Amount, Exact, Number};
use recoup_core::policy::Policy;
use recoup_core::record::{CommitmentRecord, OrderRecord, ResourceRecord};
use recoup_core::vocab::{Billing, Class, OrderStatus, PaymentOption, Recurrence};

/// The resource as if it had been bought as the provider's usual commitment; as it stands where the
/// policy names none. Everything that belongs to the provider it was bought from is left out.
#[must_use]
pub fn as_usual(resource: &ResourceRecord, policy: &Policy) -> ResourceRecord {
    let mut bought =
        ResourceRecord { provider: policy.provider.clone(), site: None, stated: Vec::new(), ..resource.clone() };
    let Some(usual) = &policy.usual else { return bought };
    bought.product.clone_from(&usual.product);
    // What cannot be parsed does not build; see the check of policies.
    if let Ok(billing) = Billing::parse(&usual.billing) {
        bought.billing = billing;
    }
    let option = usual.payment_option.as_deref().and_then(|option| PaymentOption::parse(option).ok());
    let class = usual.class.as_deref().and_then(|class| Class::parse(class).ok());
    bought.commitment = option.map(|option| commitment(resource, option, class));
    bought
}

/// The terms of a commitment for the money that was paid.
fn commitment(resource: &ResourceRecord, option: PaymentOption, class: Option<Class>) -> CommitmentRecord {
    let first = resource.orders.iter().flatten().find(|order| order.status == OrderStatus::Paid);
    let price = first.and_then(price_of);
    let term_months = first.and_then(|order| order.term?.months());
    let currency = first.and_then(|order| order.currency);
    let hours = first.and_then(|order| Some(order.ends_at?.since(order.starts_at?).whole_hours()));
    let each = |parts: i64| price.map(|price| Exact::from(price).over(parts));
    let mut made = CommitmentRecord {
        term_months,
        payment_option: Some(option),
        currency,
        class,
        // What is committed to by the hour, all hours together, is the price.
        hourly: hours.filter(|hours| *hours > 0).and_then(each).map(|hourly| number(&hourly)),
        ..CommitmentRecord::default()
    };
    match (option, term_months, currency) {
        (PaymentOption::Monthly, Some(months), Some(currency)) if months > 0 => {
            made.recurring = each(i64::from(months)).map(|monthly| monthly.round(currency));
            made.recurring_every = Some(Recurrence::Month);
        }
        _ => made.upfront = price,
    }
    made
}

fn price_of(order: &OrderRecord) -> Option<Amount> {
    order.due.or_else(|| Some(order.payments.as_ref()?.iter().map(|payment| payment.amount).sum()))
}

fn number(exact: &Exact) -> Number {
    exact.to_amount().as_number()
}
