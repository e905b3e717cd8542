//! What paid an order: account transactions, which name the order, and bill rows, which split a
//! subscription order of an instance by instrument.

use recoup_core::import::{ImportFile, Misfit, Place};
use recoup_core::money::{Amount, Currency};
use recoup_core::resource::Payment;
use recoup_core::vocab::{Instrument, OrderStatus};

use super::Draft;
use super::fields::{amount, currency, word};

/// Something that was paid.
#[derive(Debug)]
pub(crate) enum Paid {
    /// For an order, by its number.
    Order { id: String, instrument: Instrument, amount: Amount },
    /// For an order of an instance, found by its list price.
    Instance { id: String, list: Option<Amount>, currency: Option<Currency>, payments: Vec<Payment> },
}

const CHANNELS: &[(&str, Instrument)] = &[
    ("AccountBalance", Instrument::Cash),
    ("BankTransfer", Instrument::Cash),
    ("OfflineRemittance", Instrument::Cash),
    ("Alipay", Instrument::Online),
    ("ApplePay", Instrument::Online),
    ("CreditCard", Instrument::Card),
    ("AntCreditPay", Instrument::Credit),
    ("MyBankCredit", Instrument::Credit),
    ("HuaxiaBankCInstallment", Instrument::Credit),
    ("RegularBankCreditRefund", Instrument::Credit),
];

/// A row of QueryAccountTransactions: an expense for an order says what paid it.
pub(crate) fn transaction(draft: &mut Draft, file: &ImportFile<'_>, item: &Place<'_>) -> Result<(), Misfit> {
    let is = |name: &str, words: &[&str]| -> Result<bool, Misfit> {
        Ok(item.get(name).text()?.is_some_and(|text| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()))))
    };
    if !is("TransactionFlow", &["Expense"])? || !is("TransactionType", &["Consumption", "Payment"])? {
        return Ok(());
    }
    let (Some(id), Some(amount)) = (item.get("RecordID").text()?, amount(&item.get("Amount"))?) else {
        return Ok(());
    };
    if let Some(instrument) = word(&mut draft.out, file, &item.get("TransactionChannel"), CHANNELS)?
        && !amount.is_zero()
    {
        draft.paid.push(Paid::Order { id, instrument, amount: amount.magnitude() });
    }
    Ok(())
}

/// A row of a bill: a subscription order by instrument.
pub(crate) fn bill_row(draft: &mut Draft, file: &ImportFile<'_>, item: &Place<'_>) -> Result<(), Misfit> {
    let row = item.get("Item").text()?.unwrap_or_default();
    if row.eq_ignore_ascii_case("Refund") {
        draft.out.remark(
            file,
            item.path.clone(),
            "a refund row: the sign of its amounts is not published, so it is left out",
        );
    }
    if !row.eq_ignore_ascii_case("SubscriptionOrder") {
        return Ok(());
    }
    let Some(id) = item.any(&["InstanceID", "InstanceId"]).text()? else { return Ok(()) };
    if amount(&item.get("OutstandingAmount"))?.is_some_and(Amount::is_positive) {
        draft.out.remark(
            file,
            item.get("OutstandingAmount").path,
            "a part is not paid: what paid the order is left unknown",
        );
        return Ok(());
    }
    let mut payments = Vec::new();
    for (names, instrument) in [
        (&["PaymentAmount", "CashAmount"][..], Instrument::Cash),
        (&["DeductedByCashCoupons"][..], Instrument::CashCoupon),
        (&["DeductedByPrepaidCard"][..], Instrument::StoredValueCard),
    ] {
        if let Some(amount) = amount(&item.any(names))?.filter(|amount| amount.is_positive()) {
            payments.push(Payment { instrument, amount, expires_at: None });
        }
    }
    let list = amount(&item.get("PretaxGrossAmount"))?;
    let currency = currency(&mut draft.out, file, &item.get("Currency"))?;
    draft.paid.push(Paid::Instance { id, list, currency, payments });
    Ok(())
}

/// Gives the orders what paid them, where it adds up to what was due.
pub(crate) fn settle(draft: &mut Draft) {
    let paid = std::mem::take(&mut draft.paid);
    for found in &mut draft.orders {
        if found.record.status != OrderStatus::Paid || found.record.payments.is_some() {
            continue;
        }
        let Some(due) = found.record.due else { continue };
        if due.is_zero() {
            found.record.payments = Some(Vec::new());
            continue;
        }
        let by_order: Vec<Payment> = paid
            .iter()
            .filter_map(|paid| match paid {
                Paid::Order { id, instrument, amount } if *id == found.id => {
                    Some(Payment { instrument: *instrument, amount: *amount, expires_at: None })
                }
                _ => None,
            })
            .collect();
        let mut rows = paid.iter().filter_map(|paid| match paid {
            Paid::Instance { id, list, currency, payments }
                if found.instances.as_slice() == std::slice::from_ref(id)
                    && *list == found.record.list_price
                    && *currency == found.record.currency =>
            {
                Some(payments)
            }
            _ => None,
        });
        let by_bill = match (rows.next(), rows.next()) {
            (Some(one), None) => Some(one.clone()),
            _ => None,
        };
        let adds_up = |payments: &Vec<Payment>| payments.iter().map(|payment| payment.amount).sum::<Amount>() == due;
        found.record.payments = Some(by_order).filter(adds_up).or_else(|| by_bill.filter(adds_up));
    }
}
