//! What is found, what stays, and that nothing of one customer reaches the next.

use super::*;

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
