// The pages of shop.py from Node, by node:sqlite (Node 22.13 and up) or, if it is installed, by better-sqlite3.
//
//     node examples/shop.mjs path/to/nightclerk shop.db [better-sqlite3]
const [library, shop, by] = process.argv.slice(2);

let db; // the application's own database
if (by === "better-sqlite3") {
  const { default: Database } = await import(process.env.NIGHTCLERK_BETTER_SQLITE3 ?? "better-sqlite3");
  db = new Database(":memory:");
} else {
  const { DatabaseSync } = await import("node:sqlite");
  db = new DatabaseSync(":memory:", { allowExtension: true });
}
db.loadExtension(library);
db.prepare("ATTACH ? AS clerk").run(shop);

function show(title, statement, ...values) {
  console.log(title);
  for (const row of db.prepare(statement).all(...values)) {
    console.log("  " + Object.values(row).map((value) => value ?? "None").join(" | "));
  }
}

// A visitor has looked at three products, the latest last.
const popular = "SELECT product_id FROM clerk.popular_products WHERE category = '' ORDER BY rank LIMIT 3";
const session = JSON.stringify(db.prepare(popular).all().map((row) => row.product_id));
show("You may also like", `
    SELECT s.rank, p.title, printf('%.2f', p.price) AS price FROM recommend_session(?, 5) AS s
    JOIN clerk.products AS p ON p.product_id = s.product_id ORDER BY s.rank`, session);

show("Products found", `
    SELECT p.title, printf('%.2f', p.price) AS price, s.snippet FROM product_search('la* OR te*', 3) AS s
    JOIN clerk.products AS p ON p.product_id = s.id ORDER BY s.score DESC`);

const { product } = db.prepare("SELECT min(product_id) AS product FROM clerk.price_forecasts WHERE seller = ''").get();
show(`The price of ${product} in the next days`, `
    SELECT day, printf('%.2f', price) AS price, printf('%.2f to %.2f', lo80, hi80) AS bounds
    FROM forecast_price(?) ORDER BY step LIMIT 3`, product);

// Somebody fills in the contact form.
const text = "Where is my parcel? I ordered two weeks ago.";
show("A ticket comes", `
    SELECT json_extract(c, '$.category') AS category, printf('%.3f', json_extract(c, '$.category_confidence')) AS sure,
           json_extract(r, '$.decision') AS decision, json_extract(r, '$.team') AS team
    FROM (SELECT classify_ticket(?) AS c, route_ticket(?) AS r)`, text, text);
show("What to answer", `
    SELECT json_extract(d, '$.decision') AS decision, json_extract(d, '$.reply') AS reply
    FROM (SELECT draft_reply(?) AS d)`, text);
show("Tickets like it", `
    SELECT t.subject, t.status FROM ticket_search('parcel OR ordered', 3) AS s
    JOIN clerk.tickets AS t ON t.ticket_id = s.id ORDER BY s.score DESC`);
db.close();
