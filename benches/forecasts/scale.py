"""How the price job grows: a simulated shop, 160 weeks of prices, nine products of ten posted and one averaged; by choice with
a purchase a week of each posted product, so that units are explained and prices advised as well."""

import math
import random
import tempfile

import shop

WEEKS = 160


def posted(dice):
    """A regular price that moves every half year or so, and promotions of one to three weeks off it."""
    regular, left, depth = round(dice.uniform(1, 60), 2), 0, 1.0
    for _ in range(WEEKS):
        if dice.random() < 1 / 26:
            regular = round(regular * dice.uniform(0.92, 1.12), 2)
        if left == 0 and dice.random() < 0.08:
            left, depth = dice.randint(1, 3), dice.choice([0.7, 0.8, 0.85])
        yield round(regular * (depth if left else 1.0), 2)
        left = max(0, left - 1)


def averaged(dice):
    """A level that drifts, a year, and noise."""
    level, phase = dice.uniform(1, 60), dice.uniform(0, 52)
    for week in range(WEEKS):
        level *= 1 + dice.gauss(0.0005, 0.015)
        yield round(level * (1 + 0.05 * ((week + phase) % 52 / 26 - 1)) * (1 + dice.gauss(0, 0.01)), 4)


def units(dice, prices):
    """Units of each week, with a constant elasticity of the product's own."""
    base, elasticity, usual = dice.uniform(2, 30), -dice.uniform(1, 3), max(prices)
    for price in prices:
        yield round(base * (price / usual) ** elasticity * math.exp(dice.gauss(0, 0.3)))


def measure(sizes, sales):
    print("| products | rows | CPU s | wall s | most memory MB |\n|---|---|---|---|---|")
    for size in sizes:
        with tempfile.TemporaryDirectory() as where:
            market = shop.Shop(where)
            at = shop.instants("weekly", WEEKS)
            market.rows(
                "products",
                ["product_id", "title", "category"],
                ((f"p{i:06}", f"p{i}", f"category {i % 40}") for i in range(size)),
            )
            series = lambda i: list((averaged if i % 10 == 9 else posted)(random.Random(f"price {i}")))
            market.rows(
                "prices",
                ["product_id", "at", "price"],
                ((f"p{i:06}", t, price) for i in range(size) for t, price in zip(at, series(i))),
            )
            if sales:
                market.rows(
                    "events",
                    ["product_id", "kind", "quantity", "price", "at"],
                    (
                        (f"p{i:06}", "purchase", count, price, t + 2 * shop.DAY)
                        for i in range(size)
                        if i % 10 != 9
                        for prices in [series(i)]
                        for t, price, count in zip(at[:-1], prices, units(random.Random(f"units {i}"), prices))
                        if count
                    ),
                )
            cpu, wall, memory = market.night("weekly", 28)
            print(f"| {size:,} | {size * WEEKS:,} | {cpu:.1f} | {wall:.1f} | {memory:.0f} |", flush=True)
