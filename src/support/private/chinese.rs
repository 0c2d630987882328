//! Chinese names: by family name and title, behind a greeting, and in quotation marks.

use crate::text::is_cjk;
use std::ops::Range;

/// Family names of one character, the common ones; words that are as common as something else are left out.
const SURNAMES: &str = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜戚谢邹窦章苏潘葛范彭鲁韦马苗\
方俞任袁柳鲍唐费薛雷贺倪汤滕殷罗毕郝安傅卞齐康伍余顾孟黄穆萧尹姚邵汪祁毛狄贝臧戴宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季\
贾路江童颜郭梅林刁钟徐邱骆高夏蔡田樊胡凌霍虞万柯管卢莫房丁邓洪包左石崔龚程邢裴陆翁荀甄曲封靳段焦谷车侯宓全郗班秋仲伊宫宁\
仇甘武符刘景詹龙叶黎白蒲卓蔺乔谭姬申冉桑温庄晏柴瞿阎慕连习艾向古易廖文欧沃利蔚越隆师巩聂敖冷辛简饶曾关查佟游权盖岳帅付肖涂尤";
/// Family names of two characters.
const COMPOUND: [&str; 11] = [
    "欧阳", "司马", "上官", "诸葛", "夏侯", "皇甫", "东方", "尉迟", "公孙", "慕容", "令狐",
];
/// Titles behind a Chinese name.
const BEHIND: [&str; 4] = ["先生", "女士", "小姐", "同志"];
/// Chinese words for anybody.
pub(super) const ANYONE: [&str; 14] = [
    "网友", "客户", "顾客", "用户", "朋友", "亲", "市民", "网民", "同志", "领导", "买家", "会员", "先生",
    "女士",
];

/// A name in quotation marks, with what stands around it: none when it is long or has a mark of a sentence.
fn in_quotes(text: &str) -> Option<(Range<usize>, usize)> {
    let mut letters = text.char_indices();
    let (_, mark) = letters.next()?;
    if !matches!(mark, '“' | '"' | '「' | '‘' | '”' | '【') {
        return None;
    }
    let from = mark.len_utf8();
    let end = from + text[from..].find(['”', '"', '」', '’', '“', '】'])?;
    let name = &text[from..end];
    let short =
        (1..=20).contains(&name.chars().count()) && !name.contains(|c: char| "，。！？,!?".contains(c));
    short.then(|| {
        (
            from..end,
            end + text[end..].chars().next().map_or(0, char::len_utf8),
        )
    })
}

/// 网友“UU0082205”: a name in quotation marks at the very beginning.
pub(super) fn quoted(reply: &str, start: usize) -> Option<Range<usize>> {
    let head: String = reply[start..].chars().take(30).collect();
    let (open, _) = head
        .char_indices()
        .find(|(_, c)| matches!(c, '“' | '"' | '「' | '‘' | '”'))?;
    if head[..open].chars().count() > 6 || !head[..open].chars().all(|c| is_cjk(c) || c.is_whitespace()) {
        return None;
    }
    let (name, _) = in_quotes(&head[open..])?;
    (is_cjk(head.chars().next()?) || open == 0).then(|| start + open + name.start..start + open + name.end)
}

/// 网友“农夫”, “农夫”网友, anywhere.
pub(super) fn net_names(reply: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in reply.char_indices() {
        let Some((name, end)) = in_quotes(&reply[at..]) else {
            continue;
        };
        let called = ["网友", "网民", "市民", "用户"];
        let before = reply[..at].trim_end_matches([' ', ':', '：']);
        let after = reply[at + end..].trim_start();
        if called
            .iter()
            .any(|word| before.ends_with(word) || after.starts_with(word))
        {
            found.push(at + name.start..at + name.end);
        }
    }
    found
}

/// Bytes of the family name that a text begins with.
fn surname(text: &str) -> Option<usize> {
    COMPOUND
        .iter()
        .find(|name| text.starts_with(**name))
        .map(|name| name.len())
        .or_else(|| {
            text.chars()
                .next()
                .filter(|&c| SURNAMES.contains(c))
                .map(char::len_utf8)
        })
}

/// 卫女士, 王小明先生: a family name and at most two characters before a title, anywhere.
pub(super) fn titled(reply: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for title in BEHIND {
        for (at, _) in reply.match_indices(title) {
            let before: Vec<usize> = reply[..at]
                .char_indices()
                .rev()
                .take_while(|one| is_cjk(one.1))
                .take(4)
                .map(|one| one.0)
                .collect();
            let start = before.iter().enumerate().rev().find(|&(back, &from)| {
                let long = surname(&reply[from..at]).map(|len| len > 3);
                long.is_some_and(|long| long || back < 3)
            });
            if let Some((_, &from)) = start {
                found.push(from..at + title.len());
            }
        }
    }
    found
}

/// 尊敬的王先生：, 李小明，您好, 您好李小明：.
pub(super) fn chinese(reply: &str, start: usize) -> Option<Range<usize>> {
    let rest = &reply[start..];
    if let Some(head) = ["尊敬的", "亲爱的"].iter().find(|head| rest.starts_with(**head)) {
        let from = start + head.len();
        let end = reply[from..].find(|c: char| "，,：:！! 您你\n".contains(c))?;
        let name = &reply[from..from + end];
        let anyone = ANYONE.contains(&name) || ANYONE[..12].iter().any(|word| name.contains(word));
        return ((1..=8).contains(&name.chars().count()) && !anyone).then(|| from..from + end);
    }
    let hello = ["您好", "你好"].iter().find(|hello| rest.starts_with(**hello));
    let from = hello.map_or(start, |hello| {
        let after = &rest[hello.len()..];
        start + hello.len() + after.len() - after.trim_start_matches(['，', ',', ' ', '！']).len()
    });
    let name: String = reply[from..]
        .chars()
        .take_while(|&c| is_cjk(c) && !"您你".contains(c))
        .take(5)
        .collect();
    let after = reply[from + name.len()..].trim_start_matches(['，', ',', '：', ':', ' ', '！']);
    let marked = after.len() < reply.len() - from - name.len();
    let ends = if hello.is_some() {
        marked
    } else {
        after.starts_with("您好") || after.starts_with("你好")
    };
    let size = name.chars().count();
    (ends && (2..=4).contains(&size) && surname(&name).is_some()).then(|| from..from + name.len())
}
