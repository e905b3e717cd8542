# %% [markdown]
# # What would come back, day by day
#
# The rules of most providers give less from day to day, and at some instants much less at once: when a
# full refund's days are over, or a term ends. This reads a portfolio, asks for every day what the best exit
# of each resource returns, and plots the sum of each provider.
#
# Run it as a script, `python refund_over_time.py portfolio.parquet 2026-02-10`, or cell by cell in an
# editor that knows `# %%`.

# %%
import datetime
import itertools
import sys

import matplotlib.pyplot as plt
import polars as pl
from matplotlib.ticker import EngFormatter

import recoup

path, first = sys.argv[1], datetime.date.fromisoformat(sys.argv[2])
days = [first + datetime.timedelta(days=number) for number in range(90)]
portfolio = pl.read_parquet(path)
print(f"{len(portfolio)} resources of {portfolio['provider'].n_unique()} providers")

# %% [markdown]
# One assessment a day. A portfolio of Polars is a table of Arrow, so nothing is written or converted on
# the way, and the answer is a frame again.


# %%
def returned(day: datetime.date) -> pl.DataFrame:
    """What the best exit of each resource returns on a day, summed by provider and currency."""
    rulings = pl.DataFrame(recoup.assess(portfolio, at=day))
    best = rulings.filter(pl.col("is_best") & pl.col("refund").is_not_null())
    sums = best.group_by("provider", "currency").agg(pl.col("refund").sum())
    return sums.with_columns(pl.lit(day).alias("day"))


refunds = pl.concat([returned(day) for day in days]).sort("day")
print(refunds.filter(pl.col("day") == first).sort("refund", descending=True))

# %% [markdown]
# Currencies are not added up: each has its own chart. Money is exact up to here; only the picture is in
# floating point.

# %%
currencies = sorted(refunds["currency"].unique())
figure, charts = plt.subplots(len(currencies), sharex=True, figsize=(9, 3 * len(currencies)), squeeze=False)
# A provider has the same colour in every chart.
colours = dict(zip(sorted(refunds["provider"].unique()), itertools.cycle(plt.get_cmap("tab20").colors)))
for currency, chart in zip(currencies, charts.flat):
    lines = refunds.filter(pl.col("currency") == currency).sort("provider", "day")
    for (provider,), line in lines.group_by("provider", maintain_order=True):
        chart.step(line["day"], line["refund"].cast(pl.Float64), where="post", label=provider, color=colours[provider])
    chart.set_ylabel(f"refund, {currency}")
    chart.yaxis.set_major_formatter(EngFormatter(sep=""))
    chart.legend(fontsize="x-small", ncols=2, loc="upper left", bbox_to_anchor=(1, 1))
charts.flat[0].set_title("What the best exit of every resource returns")
figure.autofmt_xdate()
figure.savefig("refund_over_time.png", dpi=120, bbox_inches="tight")

# %% [markdown]
# Why one of them is as it is, with the clauses and their pages:

# %%
print(recoup.explain(portfolio, portfolio["id"][0], at=first))
