"""The pictures of docs/prices.md: a simulated shop, one night of the real program, and what it published."""

import math
import random
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

import shop

WEEKS, LATER = 160, 12
PAST, NEW, BAND, WARN = "#333333", "#1f6fb2", "#9cc4e4", "#c2571a"
plt.rcParams.update(
    {
        "svg.hashsalt": "nightclerk",
        "svg.fonttype": "none",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 9,
        "axes.titlelocation": "left",
        "legend.frameon": False,
        "legend.fontsize": 8,
    }
)


class Tea:
    """A product: regular price, promotions of two weeks, units that answer to the price with a constant elasticity."""

    def __init__(self, dice, number):
        self.id = f"tea{number:02}"
        self.elasticity = -dice.uniform(1.7, 2.3)
        regular = dice.choice([3.99, 4.99, 5.99, 6.99, 8.99])
        self.cost = round(regular * dice.uniform(0.4, 0.48), 2)
        base = dice.uniform(40, 90)
        self.prices, self.flags, self.units = [], [], []
        promo = dice.randrange(9)
        for week in range(WEEKS + LATER):
            flag = (week + promo) % 9 < 2
            if dice.random() < 1 / 20:
                regular = round(regular + dice.choice([-0.5, -0.2, 0.2, 0.5]), 2)
            price = round(0.8 * regular, 2) if flag else regular
            expected = base * (price / 5) ** self.elasticity * math.exp(dice.gauss(0, 0.15) + (0.15 if flag else 0))
            self.prices.append(price)
            self.flags.append(int(flag))
            self.units.append(max(0, round(dice.gauss(expected, math.sqrt(expected)))))


def index(dice):
    """A purchase price quoted every week: a level that drifts, a year, noise."""
    level, phase = dice.uniform(2, 4), dice.uniform(0, 52)
    for week in range(WEEKS + LATER):
        level *= 1 + dice.gauss(0.0007, 0.012)
        yield round(level * (1 + 0.09 * math.sin(2 * math.pi * (week + phase) / 52)) * (1 + dice.gauss(0, 0.008)), 4)


def night(where):
    dice = random.Random(11)
    teas = [Tea(dice, number) for number in range(40)]
    quotes = {f"leaf{number:02}": list(index(dice)) for number in range(30)}
    market = shop.Shop(where)
    at = shop.instants("weekly", WEEKS)
    day = lambda week: shop.day(shop.later("weekly", at[-1], week - WEEKS + 1))
    market.rows(
        "products",
        ["product_id", "title", "category", "price", "cost", "in_stock"],
        [(tea.id, tea.id, "tea", tea.prices[WEEKS - 1], tea.cost, 1) for tea in teas]
        + [(name, name, "leaves", "", "", 0) for name in quotes],
    )
    market.rows(
        "prices",
        ["product_id", "seller", "at", "price", "promotion"],
        [(tea.id, "", t, tea.prices[w], tea.flags[w]) for tea in teas for w, t in enumerate(at)]
        + [(name, "exchange", t, prices[w], 0) for name, prices in quotes.items() for w, t in enumerate(at)],
    )
    market.rows(
        "drivers",
        ["name", "product_id", "day", "value"],
        [("deal", tea.id, day(w), tea.flags[w]) for tea in teas for w in range(WEEKS + LATER)],
    )
    market.rows(
        "events",
        ["product_id", "kind", "quantity", "price", "at"],
        [
            (tea.id, "purchase", tea.units[w], tea.prices[w], t - 3 * shop.DAY)
            for tea in teas
            for w, t in enumerate(at)
            if w > 0 and tea.units[w]
        ],
    )
    market.night("weekly", LATER)
    return market, teas, quotes


def fan(axes, market, product, seller, values, weeks, title):
    rows = market.query(
        "SELECT step, price, lo80, hi80, lo95, hi95, model FROM price_forecasts "
        f"WHERE product_id = '{product}' AND seller = '{seller}' ORDER BY step"
    )
    model = rows[0][6]
    past = range(-weeks + 1, 1)
    axes.plot(past, values[WEEKS - weeks : WEEKS], color=PAST, drawstyle="steps-post" if seller == "" else None, lw=1.2)
    step, price, lo80, hi80, lo95, hi95 = (list(column) for column in list(zip(*rows))[:6])
    axes.fill_between(step, lo95, hi95, color=BAND, alpha=0.45, lw=0, label="95 %")
    axes.fill_between(step, lo80, hi80, color=BAND, lw=0, label="80 %")
    axes.plot(step, price, color=NEW, lw=1.6, label=f"forecast: {model}")
    axes.plot(step, values[WEEKS : WEEKS + LATER], "o", color=WARN, ms=3, label="what came")
    axes.set_title(title)
    axes.set_xlabel("weeks from the night")
    axes.legend(loc="upper left")
    low, high = axes.get_ylim()
    axes.set_ylim(max(0, low - 0.05 * (high - low)), high + 0.7 * (high - low))


def forecasts(market, teas, quotes, path):
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.9))
    fan(left, market, "leaf02", "exchange", quotes["leaf02"], 80, "an averaged price: what an exchange quotes")
    tea = next(t for t in teas if sum(t.flags[WEEKS : WEEKS + 4]) and not t.flags[WEEKS - 1])
    fan(right, market, tea.id, "", tea.prices, 40, "a posted price, its promotions entered ahead")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def stats(market, teas, path):
    product, before, last, low, average = market.query(
        "SELECT product_id, min30_before_promotion, last_price, min_ever, avg90 FROM price_stats "
        "WHERE on_promotion AND min30_before_promotion IS NOT NULL AND seller = '' ORDER BY product_id LIMIT 1"
    )[0]
    tea = next(t for t in teas if t.id == product)
    figure, axes = plt.subplots(figsize=(8, 2.5))
    weeks = 30
    axes.step(range(-weeks + 1, 2), tea.prices[WEEKS - weeks : WEEKS] + [last], where="post", color=PAST, lw=1.3)
    for value, name, color in [
        (last, f"last_price {last:.2f}", NEW),
        (before, f"min30_before_promotion {before:.2f}", WARN),
        (average, f"avg90 {average:.2f}", "#777777"),
        (low, f"min_ever {low:.2f}", "#2f7d4f"),
    ]:
        axes.axhline(value, color=color, lw=0.9, ls="--", label=name)
    axes.set_title("a price under promotion, and the figures of its row in price_stats")
    axes.set_xlabel("weeks from the night")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def whatif(market, teas, path):
    product, decision, now, advised, why = market.query(
        "SELECT product_id, decision, price_now, price_advised, why FROM price_advice "
        "WHERE decision IN ('raise', 'lower') ORDER BY abs(margin_change) DESC, product_id LIMIT 1"
    )[0]
    rows = market.query(
        f"SELECT price, units, units_lo80, units_hi80, margin FROM price_whatif WHERE product_id = '{product}' ORDER BY price"
    )
    price, units, low, high, margin = zip(*rows)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.7))
    left.fill_between(price, low, high, color=BAND, lw=0, label="80 %")
    left.plot(price, units, "o-", color=NEW, ms=3, lw=1.3, label="units in 28 days")
    right.plot(price, margin, "o-", color=NEW, ms=3, lw=1.3, label="margin in 28 days")
    for axes in (left, right):
        axes.axvline(now, color=PAST, lw=0.9, ls="--", label=f"price now {now:.2f}")
        axes.axvline(advised, color=WARN, lw=1.1, ls="--", label=f"advised {advised:.2f}")
        axes.set_xlabel("price")
        axes.legend(loc="best")
    figure.suptitle(f"{product}: {decision}", x=0.02, ha="left", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    print(f"{product}: {decision}: {why}")


def draw(folder):
    out = Path(folder)
    with tempfile.TemporaryDirectory() as where:
        market, teas, quotes = night(where)
        forecasts(market, teas, quotes, out / "price-forecasts.svg")
        stats(market, teas, out / "price-stats.svg")
        whatif(market, teas, out / "price-whatif.svg")
