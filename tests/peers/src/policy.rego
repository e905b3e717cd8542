package bench

import rego.v1

reasons contains "pay_as_you_go" if input.billing == "pay_as_you_go"

reasons contains "expired" if input.status == "expired"

reasons contains "expired" if input.ends_at <= input.at

reasons contains "frozen_security" if input.frozen_security

reasons contains "unpaid_order" if input.unpaid_order

reasons contains "promotion" if input.promotion

reasons contains "invoiced" if input.invoiced

reasons contains "marketplace" if input.seller == "marketplace"

reasons contains "product_not_supported" if input.product in {"domain", "certificate", "meeting", "hardware"}

bought := (input.ends_at - input.starts_at) / 3600

used := max([0, min([bought, floor((input.at - input.starts_at) / 3600)])])

years := min([3, floor(input.term_months / 12)])

year := min([max([years, 1]) - 1, floor(used / 8760)]) + 1

fees := {
	0: {1: 10},
	1: {1: 10},
	2: {1: 15, 2: 10},
	3: {1: 15, 2: 10, 3: 5},
}

consumed := floor(((2 * input.paid) * used + bought) / (2 * bought))

fee := min([input.paid - consumed, floor((input.paid * fees[years][year] + 50) / 100)])

answer := {"reasons": reasons, "consumed": consumed, "fee": fee, "refund": (input.paid - consumed) - fee}
