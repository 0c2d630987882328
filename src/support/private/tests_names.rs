//! Names that a reply calls its reader by, and texts whose name is not known.

use super::*;

fn clean(text: &str, language: &str) -> String {
    cleaned(
        text,
        language,
        &[],
        &["Martin Doyle".to_owned()],
        &Public::default(),
    )
}

#[test]
fn names_without_a_mark_and_behind_thanks_are_found() {
    for (text, expected) in [
        (
            "Dear [Your Name], we sent it. [Your Shop]",
            "Dear [name], we sent it. [Your Shop]",
        ),
        ("hi hugo your parcel left", "hi [name] your parcel left"),
        (
            "hi hugo your parcel left the warehouse. Hugo, wait",
            "hi [name] your parcel left the warehouse. [name], wait",
        ),
        ("Hi Hugo your parcel left", "Hi [name] your parcel left"),
        ("hello hugo bauer we sent it", "hello [name] we sent it"),
        (
            "hi there hugo your parcel left",
            "hi there [name] your parcel left",
        ),
        (
            "Dear valued customer Hugo Bauer your parcel",
            "Dear valued customer [name] your parcel",
        ),
        ("hi ahmed thanks for writing", "hi [name] thanks for writing"),
        ("Thanks for writing, Leon.", "Thanks for writing, [name]."),
        (
            "Thanks for writing, Leon. Your parcel left.",
            "Thanks for writing, [name]. Your parcel left.",
        ),
        (
            "It left. Sorry about that, Hugo!",
            "It left. Sorry about that, [name]!",
        ),
        (
            "It left. Sorry about that, Mr. Bauer! Leon",
            "It left. Sorry about that, [name]! Leon",
        ),
        ("sorry about that, hugo", "sorry about that, [name]"),
        (
            "We’re sorry for the delay, Hugo, please wait.",
            "We’re sorry for the delay, [name], please wait.",
        ),
        (
            "Vielen Dank für Ihre Nachricht, Frau Meier.",
            "Vielen Dank für Ihre Nachricht, [name].",
        ),
        ("Kelly, thanks for writing.", "[name], thanks for writing."),
        ("请欧阳女士查收。", "请[name]查收。"),
    ] {
        assert_eq!(clean(text, "en"), expected, "{text}");
    }
    for text in [
        "Thank you for buying Windows, Linux, and a hat, Logitech, or more.",
        "hi just letting you know",
        "hi hope you are well",
        "hello checking in on your parcel",
        "hello there your parcel left",
        "Thank you for your patience, we care.",
        "Sorry for the delay, however.",
        "sorry for the delay, again.",
        "Sorry, Unfortunately, it is late.",
        "We ship to Berlin, Germany.",
        "Thanks for writing, Certainly we can.",
    ] {
        assert_eq!(clean(text, "en"), text);
    }
    assert_eq!(clean("It left. Thanks, Martin", "en"), "It left. Thanks, [agent]");
    assert_eq!(clean("Sorry for this, Martin", "en"), "Sorry for this, [agent]");
}

#[test]
fn a_name_is_left_out_where_the_sentence_can_do_without_it_and_nowhere_else() {
    for (text, left) in [
        ("hi [name] your parcel left", "hi, your parcel left"),
        ("Dear [name] your parcel left", "Hello, your parcel left"),
        ("Hi, [name], your parcel", "Hi, your parcel"),
        ("Thank you [name]! It left", "Thank you! It left"),
        (
            "Thanks for writing, [name]. It left, [name].",
            "Thanks for writing. It left, [name].",
        ),
        (
            "Hello,\nit left. Sorry about that, [name]!",
            "Hello,\nit left. Sorry about that!",
        ),
        ("[name],\nit left.", "It left."),
        ("[name] - it left.", "It left."),
        ("[name]! Your parcel", "Your parcel"),
        ("[姓名]，您的包裹", "您的包裹"),
        ("亲，[姓名]，您的包裹", "亲，您的包裹"),
        ("您好[姓名]您的包裹", "您好，您的包裹"),
        ("您好，[姓名]：您的包裹", "您好：您的包裹"),
        ("尊敬的客户[姓名]：您好", "尊敬的客户：您好"),
        ("感谢[姓名]的来信。", "感谢您的来信。"),
        ("“[姓名]”您反映的问题", "您反映的问题"),
        ("“[姓名]”： 您好", "您好"),
        ("尊敬的“[姓名]”：您好", "尊敬的客户：您好"),
        ("感谢“[姓名]”网友的来信", "感谢网友的来信"),
    ] {
        assert_eq!(Own::default().fill(text), left, "{text}");
    }
    for text in [
        "请[姓名]查收。",
        "请转告[姓名]。",
        "包裹已由[姓名]签收。",
        "[姓名]的包裹已到。",
        "请联系“[姓名]”处理。",
        "您好，请[姓名]查收。",
        "[name] has signed for it.",
        "Hi, we wrote to [name].",
        "Hello, is [name] at home?",
        "It left, [name] knows.",
    ] {
        assert_eq!(Own::default().fill(text), text);
    }
    assert_eq!(
        Own::default().fill(&clean("请转告钱先生。", "zh")),
        "请转告[姓名]。"
    );
    let own = Own::of(&["我叫李小明，请帮忙"], None);
    assert_eq!(own.fill(&clean("请欧阳女士查收。", "zh")), "请李小明查收。");
}
