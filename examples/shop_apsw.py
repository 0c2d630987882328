"""The pages of shop.py from apsw, which brings the newest SQLite with it (pip install apsw).

    python3 examples/shop_apsw.py path/to/nightclerk shop.db
"""
import json
import sys

import apsw

library, shop = sys.argv[1:3]

db = apsw.Connection(":memory:")  # the application's own database
db.enable_load_extension(True)
db.load_extension(library)
db.enable_load_extension(False)
db.execute("ATTACH ? AS clerk", (shop,))


def show(title, statement, *values):
    print(title)
    for row in db.execute(statement, values):
        print("  " + " | ".join(str(value) for value in row))


# A visitor has looked at three products, the latest last.
session = json.dumps([row[0] for row in db.execute("SELECT product_id FROM clerk.popular_products WHERE category = '' ORDER BY rank LIMIT 3")])
show("You may also like", """
    SELECT s.rank, p.title, printf('%.2f', p.price) FROM recommend_session(?, 5) AS s
    JOIN clerk.products AS p ON p.product_id = s.product_id ORDER BY s.rank""", session)

show("Products found", """
    SELECT p.title, printf('%.2f', p.price), s.snippet FROM product_search('la* OR te*', 3) AS s
    JOIN clerk.products AS p ON p.product_id = s.id ORDER BY s.score DESC""")

product = db.execute("SELECT min(product_id) FROM clerk.price_forecasts WHERE seller = ''").fetchone()[0]
show(f"The price of {product} in the next days", """
    SELECT day, printf('%.2f', price), printf('%.2f to %.2f', lo80, hi80) FROM forecast_price(?) ORDER BY step LIMIT 3""", product)

# Somebody fills in the contact form.
text = "Where is my parcel? I ordered two weeks ago."
show("A ticket comes", """
    SELECT json_extract(c, '$.category'), printf('%.3f', json_extract(c, '$.category_confidence')), json_extract(r, '$.decision'), json_extract(r, '$.team')
    FROM (SELECT classify_ticket(?1) AS c, route_ticket(?1) AS r)""", text)
show("What to answer", "SELECT json_extract(d, '$.decision'), json_extract(d, '$.reply') FROM (SELECT draft_reply(?) AS d)", text)
show("Tickets like it", """
    SELECT t.subject, t.status FROM ticket_search('parcel OR ordered', 3) AS s
    JOIN clerk.tickets AS t ON t.ticket_id = s.id ORDER BY s.score DESC""")
db.close()
