//! Messages as mail programs make them, and hostile ones.

use super::*;

fn own(message: &str) -> String {
    written(message, 20_000)
}

#[test]
fn html_becomes_the_lines_a_reader_sees() {
    let mail = "<html><head><style>p { color: red }</style><title>x</title></head><body><p>Hello&nbsp;<b>there</b>,</p>\n\
                <div>where is   my parcel &amp; when?<br>Order&#32;&#x23;5 &lt;3 &bogus; &</div><!-- no --><script>alert(1)</script>\
                <blockquote>old words</blockquote><div class=\"gmail_quote\">On Monday<div>older</div></div><p>Thanks \u{1F600}</p></body></html>";
    assert_eq!(
        own(mail),
        "Hello there,\nwhere is my parcel & when?\nOrder #5 <3 &bogus; &\nThanks \u{1F600}"
    );
    // Angle brackets are no HTML.
    assert_eq!(own("a < b and <name> says 1 > 0"), "a < b and <name> says 1 > 0");
    assert_eq!(own("Dear <name>,<br>yes"), "Dear <name>,\nyes");
    assert_eq!(own("<div>never closed <scr"), "never closed <scr");
    assert_eq!(own("<p>up<script>to the end"), "up");
}

#[test]
fn quoted_threads_are_cut_off() {
    for quotation in [
        "On Mon, 3 Nov 2025 at 10:00, Shop <help@shop.example> wrote:\n> Dear customer",
        "On Mon, 3 Nov 2025 at 10:00, The Shop With A Long Name\n<help@shop.example> wrote:\n\nDear customer",
        "Am 03.11.2025 um 10:00 schrieb Shop:\n> Hallo",
        "Le lun. 3 nov. 2025 à 10:00, Boutique a écrit :\n> Bonjour",
        "在 2025年11月3日，商店 <help@shop.example> 写道：\n> 您好",
        "-----Original Message-----\nFrom: Shop\nDear customer",
        "________________________________\nFrom: Shop <help@shop.example>\nSent: Monday\nTo: me\n\nDear customer",
        "------------------ 原始邮件 ------------------\n发件人: 商店",
        "发件人：商店\n发送时间：2025年\n您好",
        "> Dear customer\n> we wrote",
    ] {
        let kept = own(&format!("It is still missing.\nSince Monday.\n\n{quotation}\n"));
        assert!(
            kept.starts_with("It is still missing.\nSince Monday."),
            "{quotation}: {kept}"
        );
        assert!(
            !kept.contains("customer")
                && !kept.contains("您好")
                && !kept.contains("Hallo")
                && !kept.contains("Bonjour"),
            "{quotation}: {kept}"
        );
    }
    // Answers between quoted lines stay.
    assert_eq!(
        own("> Which colour?\nRed.\n> Which size?\nLarge."),
        "Red.\nLarge."
    );
    // A quotation only is better than nothing.
    assert_eq!(own("> where is it\n>> my parcel"), "where is it\nmy parcel");
    // Sentences that look a little like one.
    for text in [
        "On Monday my friend wrote: hello",
        "From: where did it come?\nI do not know",
        "I am not sure what he wrote:\nnothing 5",
    ] {
        assert_eq!(own(text), text);
    }
}

#[test]
fn signatures_go_and_the_matter_stays() {
    for signature in [
        "-- \nBob Jones\nSales",
        "Best regards,\nBob Jones\nSales\n+49 30 901820",
        "Kind regards",
        "Mit freundlichen Grüßen\nAnna",
        "此致\n敬礼\n王伟",
        "Sent from my iPhone",
        "Best regards,\nBob\n\nGet Outlook for iOS",
        "发自我的 iPhone",
    ] {
        assert_eq!(
            own(&format!("My lamp is broken.\nPlease help.\n\n{signature}")),
            "My lamp is broken.\nPlease help.",
            "{signature}"
        );
    }
    let long = "Best regards,\nthis line is not a name because it goes on and on about the lamp that broke yesterday";
    assert_eq!(own(long), long);
    assert_eq!(
        own("Best regards,\nBob"),
        "Best regards,\nBob",
        "nothing else was written"
    );
    assert!(plain("x\n-- \nBob", 100).contains("Bob"));
}

#[test]
fn hostile_messages_are_bounded_and_survived() {
    assert_eq!(own(""), "");
    assert_eq!(own(" \r\n\t\u{0}\u{FEFF} "), "");
    let megabyte = "wo ist 我的包裹 \u{1F600} ".repeat(50_000);
    assert!(megabyte.len() > 1_000_000);
    assert_eq!(written(&megabyte, 20_000).chars().count(), 20_000);
    assert!(written(&"<div>".repeat(250_000), 20_000).len() < 20_000);
    assert!(written(&"<".repeat(1_000_000), 20_000).len() <= 20_000);
    assert!(written(&"&#".repeat(500_000), 20_000).len() <= 20_000);
    assert!(written(&"<blockquote>".repeat(90_000), 20_000).is_empty());
    // Right to left: the letters stay in their order, the marks of direction go.
    assert_eq!(own("\u{202B}أين طلبي؟\u{202C} \u{200F}12345"), "أين طلبي؟ 12345");
    assert_eq!(own("היכן ההזמנה שלי?\r\n> ישן"), "היכן ההזמנה שלי?");
    assert_eq!(own("两行_x000D_\n第二"), "两行\n\n第二");
    let mut dice = fastrand::Rng::with_seed(2);
    let pieces = [
        "<", ">", "</", "div", "br", "&", "#", ";", "-- ", "\n", "> ", "On 1 ", "wrote:", "é", "我", "--",
        "<!--", "-->", "\"", "=", " ",
    ];
    for _ in 0..3000 {
        let text: String = (0..dice.usize(0..40))
            .map(|_| pieces[dice.usize(..pieces.len())])
            .collect();
        own(&text);
    }
}
