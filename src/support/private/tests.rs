//! What is found, what stays, and that nothing of one customer reaches the next.

use super::*;

fn kinds(text: &str) -> Vec<(Kind, &str)> {
    private(text)
        .into_iter()
        .map(|one| (one.kind, &text[one.at]))
        .collect()
}

#[test]
fn numbers_that_belong_to_somebody_are_found() {
    for (text, expected) in [
        ("Your order #10432 left.", (Kind::Number, "10432")),
        ("order number: 48213", (Kind::Number, "48213")),
        ("Ihre Bestellung 48213 ist da", (Kind::Number, "48213")),
        ("invoice INV-2041", (Kind::Number, "INV-2041")),
        ("see A1B2C3D45", (Kind::Number, "A1B2C3D45")),
        (
            "tracking 1Z999AA10123456784",
            (Kind::Number, "1Z999AA10123456784"),
        ),
        (
            "IBAN DE89370400440532013000",
            (Kind::Number, "DE89370400440532013000"),
        ),
        ("您的订单号是20394已发货", (Kind::Number, "20394")),
        ("网友 UU0082205 您好", (Kind::Number, "UU0082205")),
        ("number 123456789", (Kind::Number, "123456789")),
        ("ring +49 (0)30 901820 now", (Kind::Phone, "+49 (0)30 901820")),
        ("call 555-123-4567", (Kind::Phone, "555-123-4567")),
        ("请拨打13812345678", (Kind::Phone, "13812345678")),
        ("电话0731-88888888。", (Kind::Phone, "0731-88888888")),
        ("card 4111 1111 1111 1111", (Kind::Card, "4111 1111 1111 1111")),
        ("card 4111-1111-1111-1111", (Kind::Card, "4111-1111-1111-1111")),
        (
            "write to Anna.Smith+x@mail.example.com.",
            (Kind::Mail, "Anna.Smith+x@mail.example.com"),
        ),
        ("邮箱zhang@qq.com，谢谢", (Kind::Mail, "zhang@qq.com")),
        (
            "see https://shop.example/track/8842199 now",
            (Kind::Link, "https://shop.example/track/8842199"),
        ),
        (
            "to 221B Baker Street, London NW1 6XE",
            (Kind::Address, "221B Baker Street, London NW1 6XE"),
        ),
        (
            "an Lange Straße 5, 10115 Berlin gesandt",
            (Kind::Address, "Lange Straße 5, 10115 Berlin"),
        ),
        ("au 12 rue de la Paix", (Kind::Address, "12 rue de la Paix")),
        ("Your refund of 11.49 EUR was", (Kind::Amount, "11.49")),
        ("es sind 1.137,49 EUR offen", (Kind::Amount, "1.137,49")),
        ("we sent $7.99 back", (Kind::Amount, "7.99")),
        ("已退45.49欧元。", (Kind::Amount, "45.49")),
        ("收取12000000元", (Kind::Amount, "12000000")),
        (
            "to Apt 4B, 9807 W 5th St, Austin TX 78701 and",
            (Kind::Address, "9807 W 5th St, Austin TX 78701"),
        ),
        ("to PO Box 8170, Leeds and", (Kind::Address, "PO Box 8170, Leeds")),
        (
            "发往朝阳区望京花园小区69号楼2单元501室，预计",
            (Kind::Address, "朝阳区望京花园小区69号楼2单元501室"),
        ),
        (
            "发往深圳市南山区科技园48栋302，预计",
            (Kind::Address, "深圳市南山区科技园48栋302"),
        ),
        ("微信wxid_75abc也可以", (Kind::Number, "wxid_75abc")),
        ("WeChat: anna_75 please", (Kind::Number, "anna_75")),
        ("QQ 654321，", (Kind::Number, "654321")),
        ("QQ654321，", (Kind::Number, "QQ654321")),
        ("寄到湘江路12号3栋502室。", (Kind::Address, "湘江路12号3栋502室")),
    ] {
        assert_eq!(kinds(text), [expected], "{text}");
    }
}

#[test]
fn sums_of_money_are_found_whatever_stands_before_them() {
    for (text, expected) in [
        ("You were charged at 11.49 EUR.", "11.49"),
        ("It depends on 11.49 EUR.", "11.49"),
        ("Invoice 11.49 EUR", "11.49"),
        ("Your order 129 EUR is paid", "129"),
        ("您的订单11.49元已退", "11.49"),
        ("A refund of 11.49 was issued.", "11.49"),
        ("Your refund of 1.137,49 was issued.", "1.137,49"),
        ("the fee is 11.49.", "11.49"),
        ("11.49 has been refunded.", "11.49"),
        ("Eine Gutschrift über 11,49 wurde erstellt", "11,49"),
        ("退款11.49已到账", "11.49"),
        ("扣款金额为11.49。", "11.49"),
        ("11.49已退还。", "11.49"),
        ("We sent 11.49 CAD back", "11.49"),
        ("We sent CAD 129 back", "129"),
        ("We sent back 129 kr.", "129"),
        ("We sent back kr 129.", "129"),
        ("129,- is the sum", "129"),
        ("EUR11.49 is the sum", "11.49"),
        ("129kr is the sum", "129"),
        ("12999EUR is the sum", "12999"),
        ("₹1,299 is the sum", "1,299"),
        ("49 zł is the sum", "49"),
        ("R$129 is the sum", "129"),
        ("11.49 US dollars are the sum", "11.49"),
        ("500 PHP are the sum", "500"),
        ("11.49EUR已到账", "11.49"),
        ("退您129港币。", "129"),
    ] {
        assert_eq!(kinds(text), [(Kind::Amount, expected)], "{text}");
    }
    for (text, expected) in [
        (
            "order 10432 EUR 11.49",
            [(Kind::Number, "10432"), (Kind::Amount, "11.49")],
        ),
        (
            "订单10432退款11.49元",
            [(Kind::Number, "10432"), (Kind::Amount, "11.49")],
        ),
        (
            "call 555-123-4567 about 11.49 CAD",
            [(Kind::Phone, "555-123-4567"), (Kind::Amount, "11.49")],
        ),
    ] {
        assert_eq!(kinds(text), expected, "{text}");
    }
}

#[test]
fn what_is_nobodys_stays() {
    for text in [
        "It ships on 2021-11-04 or 04.11.2021, 9:00-17:00.",
        "Windows 10, iPhone 15 Pro, TS-453D, H2O.ai, WPA2, 256-bit, 802.11ac",
        "49.90 times, 1.299.000 units, 12345678.90",
        "总建筑面积1067120平方米，2018年11月16日",
        "see https://shop.example/help/returns and www.example.com.",
        "PHP 8.2, AMD 5800, CVE 2021, try 3 of 5, all 12, top 10, 5 try, 3 all, 2 cup, AutoCAD 2020",
        "A refund takes 3 days, is issued on 11.04 and costs 2.10 % at 10.30; 元旦: 5元旦套餐",
        "24 hours, 3-5 days, 2019/2020, 50% of 1000000%",
        "",
    ] {
        assert_eq!(kinds(text), [], "{text}");
    }
}

#[test]
fn greetings_and_introductions_name_people() {
    let name = |text: &'static str| greeted(text).map(|at| &text[at]);
    assert_eq!(name("Dear Ms. Anna Smith, thank you"), Some("Ms. Anna Smith"));
    assert_eq!(name("Hi Bob! It is here"), Some("Bob"));
    assert_eq!(name("Sehr geehrte Frau von Arnim,\n"), Some("Frau von Arnim"));
    assert_eq!(name("尊敬的王先生：您好"), Some("王先生"));
    assert_eq!(name("网友“UU0082205” 您好！"), Some("UU0082205"));
    for (text, expected) in [
        ("Hi Hugo - your parcel", "Hugo"),
        ("Hello Leon. Your parcel", "Leon"),
        ("Dear irma, your parcel", "irma"),
        ("Good day Jonas Smithers, your", "Jonas Smithers"),
        ("Dear Customer Irma Clemens, your", "Irma Clemens"),
        ("Leon, thanks for writing.", "Leon"),
        ("Thank you Greta! Your parcel", "Greta"),
        ("Thank you for your message.\nHi Bob,\nit", "Bob"),
        ("卫女士，您好！包裹", "卫女士"),
        ("钱先生您好，包裹", "钱先生"),
        ("您好韩先生，您的", "韩先生"),
        ("亲，赵小姐，您的", "赵小姐"),
        ("包裹已由王小明先生签收", "王小明先生"),
        ("李小明，您好！", "李小明"),
        ("感谢“农夫”网友的来信", "农夫"),
    ] {
        assert_eq!(name(text), Some(expected), "{text}");
    }
    for nobody in [
        "Unfortunately, we cannot",
        "Sorry, we cannot",
        "Hello and welcome, we",
        "Thank you for your message, we",
        "您好，您的包裹已发，",
        "各位女士、先生，您好",
        "Dear Customer, thank you",
        "Hello, thank you",
        "Hi there, we",
        "Dear Sir or Madam,",
        "尊敬的客户：您好",
        "您好！来信收悉",
        "Thank you for Dear life",
        "Hello Thank you for your message. We will look, promptly",
        "",
    ] {
        assert_eq!(name(nobody), None, "{nobody}");
    }
    for (text, left) in [
        ("Dear [name], your", "Hello, your"),
        ("Hi [name] - your", "Hi - your"),
        ("Dear Customer [name], your", "Dear Customer, your"),
        ("[name], thanks for", "Thanks for"),
        ("您好[name]，您的", "您好，您的"),
        ("[name]您好，您的", "您好，您的"),
        ("网友“[name]”您好！", "网友您好！"),
        ("尊敬的[name]：您好", "尊敬的客户：您好"),
        ("We wrote to [name].", "We wrote to [name]."),
    ] {
        assert_eq!(Own::default().fill(text), left);
    }
    assert_eq!(introduced("My name is Anna Smith and I wait"), ["Anna Smith"]);
    assert_eq!(
        introduced("Where is it?\n\nBest regards,\nBob Jones\nSales"),
        ["Bob Jones"]
    );
    assert_eq!(introduced("Where is it?\nBest regards, Bob"), ["Bob"]);
    assert_eq!(introduced("我叫李小明，请帮忙"), ["李小明"]);
    assert_eq!(introduced("请帮忙\n谢谢，王伟"), ["王伟"]);
    assert_eq!(introduced("请帮忙\n谢谢\n王伟"), ["王伟"]);
    assert!(introduced("Thank you\nfor your help. I wait").is_empty());
}

#[test]
fn nothing_of_one_customer_reaches_the_next() {
    let public = Public::default();
    let reply = "Dear Anna Smith, order #10432 goes to 221B Baker Street, London NW1 6XE. Smith, we wrote to anna@mail.example \
                 and rang 555-123-4567; card 4111 1111 1111 1111 was charged. Kind regards, Ada";
    let clean = cleaned(reply, "en", &[], &["Ada".into()], &public);
    assert_eq!(
        clean,
        "Dear [name], order #[order number] goes to [address]. [name], we wrote to [e-mail] \
         and rang [phone number]; card [card number] was charged. Kind regards, [agent]"
    );
    let own = Own::of(
        &[
            "Where is order 20777? Write to bob@mail.example or b2@mail.example. My card 5500 0000 0000 0004\nThanks,\nBob Jones",
        ],
        Some("Cy"),
    );
    let filled = own.fill(&clean);
    assert_eq!(
        filled,
        "Dear Bob Jones, order #20777 goes to [address]. Bob Jones, we wrote to [e-mail] \
         and rang [phone number]; card [card number] was charged. Kind regards, Cy"
    );
    assert!(has_hole(&filled) && !has_hole("All is well [1], see {\"a\": 1} and 3 < 5 > 2."));
    assert!(has_hole("Dear <name>, {{ order.id }}"));
    assert!(Own::default().fill("Yours, [agent]") == "Yours");
    // The old customer's message gave a name that the reply mentions without greeting.
    assert_eq!(
        cleaned("We wrote to Dora.", "en", &["Dora Ek".into()], &[], &public),
        "We wrote to [name]."
    );
    assert_eq!(
        cleaned(
            "网友“UU0082205”您好！请拨打13812345678，订单20394已发。",
            "zh",
            &[],
            &[],
            &public
        ),
        "网友“[姓名]”您好！请拨打[电话]，订单[单号]已发。"
    );
}

#[test]
fn sums_are_the_old_cases_unless_several_were_told_them() {
    let mut public = Public::default();
    for customer in ["a", "b", "c"] {
        public.told(customer, "Shipping is free from 50.00 EUR on.");
    }
    let clean = cleaned(
        "Your refund of 11.49 EUR was issued. Free from 50.00 EUR on.",
        "en",
        &[],
        &[],
        &public,
    );
    assert_eq!(
        clean,
        "Your refund of [amount] EUR was issued. Free from 50.00 EUR on."
    );
    assert!(has_hole(&clean));
    let own = Own::of(&["I miss 37.49 EUR"], None);
    assert_eq!(
        own.fill(&clean),
        "Your refund of 37.49 EUR was issued. Free from 50.00 EUR on."
    );
    assert_eq!(own.fill("[amount] of [amount]"), "[amount] of [amount]");
    assert!(has_hole(
        &Own::of(&["37.49 EUR or 12.00 EUR?"], None).fill(&clean)
    ));
}

#[test]
fn what_many_were_told_is_the_shops_own() {
    let mut public = Public::default();
    for customer in ["a", "b", "a"] {
        public.told(customer, "Call 0800 123 4567 about order 55120.");
    }
    assert!(!public.has("0800 123 4567"), "two customers are not enough");
    public.told("c", "Call 0800-1234567.");
    assert!(public.has("08001234567") && !public.has("55120"));
    public.published("Write to help@shop.example");
    assert_eq!(
        cleaned(
            "Call 0800 123 4567 or help@shop.example, order 55120",
            "en",
            &[],
            &[],
            &public
        ),
        "Call 0800 123 4567 or help@shop.example, order [order number]"
    );
}

#[test]
fn any_bytes_are_survived() {
    let mut dice = fastrand::Rng::with_seed(5);
    let pieces = [
        "@",
        "+",
        "(",
        ")",
        "1",
        "23",
        "4567",
        "-",
        ".",
        " ",
        "路",
        "号",
        "王",
        "先生",
        "Dear ",
        "A",
        "b",
        "é",
        "\u{1F600}",
        "\u{202E}",
        "İ",
        ",",
        "\n",
        "www.",
        "ß",
        "“",
        "”",
        "尊敬的",
        "Street",
        "order ",
        "单",
    ];
    for _ in 0..3000 {
        let text: String = (0..dice.usize(0..25))
            .map(|_| pieces[dice.usize(..pieces.len())])
            .collect();
        let clean = cleaned(&text, "zh", &introduced(&text), &["A".into()], &Public::default());
        Own::of(&[&text], None).fill(&clean);
        has_hole(&clean);
    }
}
