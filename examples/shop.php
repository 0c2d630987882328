<?php
// The pages of shop.py from PHP's SQLite3. PHP loads extensions from one folder only, by name:
//
//     php -d sqlite3.extension_dir=path/to examples/shop.php nightclerk.so shop.db
[, $library, $shop] = $argv;

$db = new SQLite3(':memory:'); // the application's own database
$db->enableExceptions(true);
$db->loadExtension(basename($library));
$attach = $db->prepare('ATTACH ? AS clerk');
$attach->bindValue(1, $shop);
$attach->execute();

function rows(string $statement, ...$values): array
{
    global $db;
    $prepared = $db->prepare($statement);
    foreach ($values as $at => $value) {
        $prepared->bindValue($at + 1, $value);
    }
    $result = $prepared->execute();
    $rows = [];
    while (is_array($row = $result->fetchArray(SQLITE3_NUM))) {
        $rows[] = $row;
    }
    return $rows;
}

function show(string $title, string $statement, ...$values): void
{
    echo $title, "\n";
    foreach (rows($statement, ...$values) as $row) {
        echo '  ', implode(' | ', array_map(fn ($value) => $value ?? 'None', $row)), "\n";
    }
}

// A visitor has looked at three products, the latest last.
$popular = rows("SELECT product_id FROM clerk.popular_products WHERE category = '' ORDER BY rank LIMIT 3");
$session = json_encode(array_column($popular, 0));
show('You may also like', <<<'SQL'
    SELECT s.rank, p.title, printf('%.2f', p.price) FROM recommend_session(?, 5) AS s
    JOIN clerk.products AS p ON p.product_id = s.product_id ORDER BY s.rank
    SQL, $session);

show('Products found', <<<'SQL'
    SELECT p.title, printf('%.2f', p.price), s.snippet FROM product_search('la* OR te*', 3) AS s
    JOIN clerk.products AS p ON p.product_id = s.id ORDER BY s.score DESC
    SQL);

$product = rows("SELECT min(product_id) FROM clerk.price_forecasts WHERE seller = ''")[0][0];
show("The price of $product in the next days", <<<'SQL'
    SELECT day, printf('%.2f', price), printf('%.2f to %.2f', lo80, hi80) FROM forecast_price(?) ORDER BY step LIMIT 3
    SQL, $product);

// Somebody fills in the contact form.
$text = 'Where is my parcel? I ordered two weeks ago.';
show('A ticket comes', <<<'SQL'
    SELECT json_extract(c, '$.category'), printf('%.3f', json_extract(c, '$.category_confidence')),
           json_extract(r, '$.decision'), json_extract(r, '$.team')
    FROM (SELECT classify_ticket(?) AS c, route_ticket(?) AS r)
    SQL, $text, $text);
show('What to answer', <<<'SQL'
    SELECT json_extract(d, '$.decision'), json_extract(d, '$.reply') FROM (SELECT draft_reply(?) AS d)
    SQL, $text);
show('Tickets like it', <<<'SQL'
    SELECT t.subject, t.status FROM ticket_search('parcel OR ordered', 3) AS s
    JOIN clerk.tickets AS t ON t.ticket_id = s.id ORDER BY s.score DESC
    SQL);
$db->close();
