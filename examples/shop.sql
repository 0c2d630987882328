-- The pages of shop.py in the sqlite3 shell, in the folder that holds nightclerk.so and shop.db:
--
--     sqlite3 :memory: < examples/shop.sql
.load ./nightclerk
.separator " | "
.nullvalue None
ATTACH 'shop.db' AS clerk;

SELECT 'You may also like';
SELECT '  ' || s.rank, p.title, printf('%.2f', p.price)
FROM recommend_session((SELECT json_group_array(product_id) FROM
         (SELECT product_id FROM clerk.popular_products WHERE category = '' ORDER BY rank LIMIT 3)), 5) AS s
JOIN clerk.products AS p ON p.product_id = s.product_id ORDER BY s.rank;

SELECT 'Products found';
SELECT '  ' || p.title, printf('%.2f', p.price), s.snippet FROM product_search('la* OR te*', 3) AS s
JOIN clerk.products AS p ON p.product_id = s.id ORDER BY s.score DESC;

SELECT 'The price of ' || min(product_id) || ' in the next days' FROM clerk.price_forecasts WHERE seller = '';
SELECT '  ' || day, printf('%.2f', price), printf('%.2f to %.2f', lo80, hi80)
FROM forecast_price((SELECT min(product_id) FROM clerk.price_forecasts WHERE seller = '')) ORDER BY step LIMIT 3;

SELECT 'A ticket comes';
SELECT '  ' || json_extract(c, '$.category'), printf('%.3f', json_extract(c, '$.category_confidence')),
       json_extract(r, '$.decision'), json_extract(r, '$.team')
FROM (SELECT classify_ticket('Where is my parcel? I ordered two weeks ago.') AS c,
             route_ticket('Where is my parcel? I ordered two weeks ago.') AS r);
SELECT 'What to answer';
SELECT '  ' || json_extract(d, '$.decision'), json_extract(d, '$.reply')
FROM (SELECT draft_reply('Where is my parcel? I ordered two weeks ago.') AS d);
SELECT 'Tickets like it';
SELECT '  ' || t.subject, t.status FROM ticket_search('parcel OR ordered', 3) AS s
JOIN clerk.tickets AS t ON t.ticket_id = s.id ORDER BY s.score DESC;
