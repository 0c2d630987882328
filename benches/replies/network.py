"""The network that writes replies, alone, beside a plain decoder. See README.md."""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from run import bleu, rouge_l, rows, split, words

STEPS = os.environ.get("NIGHTCLERK_STEPS", "900")


def digits(text):
    return set(re.findall(r"\d+", text))


def main():
    print("| data | model | CPU s | steps | perplexity | ROUGE-L | BLEU-4 | surest fifth | words (sent) | invented numbers | CPU ms a reply |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for language in ["en", "zh"]:
        train, test = split(rows(language))
        truth = [words(reply) for _, _, reply in test]
        with tempfile.TemporaryDirectory() as folder:
            pairs = Path(folder) / "pairs.json"
            pairs.write_text(json.dumps({"train": train, "test": test}))
            for kind in ["mixture", "plain"]:
                command = [os.environ["NIGHTCLERK_REPLIES"], str(pairs), language, STEPS, kind]
                told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
                drafts = told["drafts"]
                said = [words(draft["reply"]) for draft in drafts]
                overlap = [rouge_l(a, b) for a, b in zip(said, truth)]
                by_confidence = sorted(range(len(test)), key=lambda i: -drafts[i]["confidence"])[: len(test) // 5]
                fifth = sum(overlap[i] for i in by_confidence) / len(by_confidence)
                invented = 0
                for draft, (subject, body, _) in zip(drafts, test):
                    known = set().union(digits(subject), digits(body), *map(digits, draft["at_hand"]))
                    invented += bool(digits(draft["reply"]) - known)
                mean = lambda texts: sum(map(len, texts)) / len(texts)
                learning = told["learning"]
                print(
                    f"| {language} | {kind} | {told['cpu']:.0f} | {learning['steps']} | {learning['perplexity'][1]:.1f}"
                    f" | {100 * sum(overlap) / len(overlap):.1f} | {100 * bleu(list(zip(said, truth))):.1f} | {100 * fifth:.1f}"
                    f" | {mean(said):.0f} ({mean(truth):.0f}) | {invented} | {told['ms']:.0f} |",
                    flush=True,
                )


main()
