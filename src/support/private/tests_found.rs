//! What is found by its shape and the words before it, and what stays.

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
fn names_in_chats_are_found() {
    for (text, expected) in [
        ("微信wxid_75abc也可以", "wxid_75abc"),
        ("加微信wxid_75abc", "wxid_75abc"),
        ("wxid_abc是我", "wxid_abc"),
        ("加我微信abcdefgh", "abcdefgh"),
        ("我的微信号是hugo-bauer，", "hugo-bauer"),
        ("微信：hugo", "hugo"),
        ("加微信 13812345678", "13812345678"),
        ("加V：abc123", "abc123"),
        ("vx: hugo", "hugo"),
        ("WeChat: anna_75 please", "anna_75"),
        ("my WeChat is hugobauer.", "hugobauer"),
        ("WeChat ID hugobauer", "hugobauer"),
        ("WhatsApp me at +49 171 2345678, please", "+49 171 2345678"),
        ("WhatsApp 01712345678", "01712345678"),
        ("his Telegram handle is hugo_b.", "hugo_b"),
        ("on Telegram @hugobauer or", "@hugobauer"),
        ("ask @hugobauer, please", "@hugobauer"),
        ("QQ 654321，", "654321"),
        ("QQ654321，", "654321"),
        ("QQ号：654321", "654321"),
        ("LINE: hugo", "hugo"),
        ("Line ID hugo", "hugo"),
        ("Skype live:hugo", "hugo"),
    ] {
        assert_eq!(kinds(text), [(Kind::Chat, expected)], "{text}");
    }
    for text in [
        "Write on WhatsApp please, our WeChat support is open, your Telegram is blocked.",
        "WeChat pay, QQ mail, the last line 12345 is wrong, a signal strength, WhatsApp is available",
        "subject line: refund, line number 12345, a signal: nothing",
        "微信支付，请关注微信公众号，微信iPhone版, hold the line please, Skype business",
        "Meet @ 5 or @me: a @ b, ****@mail.example, <contact>@mail.example",
    ] {
        assert!(
            kinds(text).iter().all(|one| one.0 != Kind::Chat),
            "{text}: {:?}",
            kinds(text)
        );
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
        "总投资14.64亿元（2018年开工）",
        "24 hours, 3-5 days, 2019/2020, 50% of 1000000%",
        "",
    ] {
        assert_eq!(kinds(text), [], "{text}");
    }
}
