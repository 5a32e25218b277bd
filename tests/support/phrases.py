"""The expressions that `tests/test_docs_english.py` finds, each with what to write instead.

To add one, add a row with a sentence that it must catch and sentences that it must let pass. A
pattern is matched against running text: line breaks and indentation count as one space.
"""

from __future__ import annotations

from dataclasses import dataclass

_COUNTED = (
    r"bytes|[Cc]ounters|[Ee]vents|[Ee]xperiments|files|HyperLogLogs|items|keys|requests|seconds"
    r"|shards|[Vv]ariants|[Vv]isitors|[KMG]i?B|million|thousand"
)
_SINGLE = r"call|client|command|connection|entry|file|line|process|request|sentence|test|trip"
_UNIT = (
    r"account|arm|call|check|command|counter|day|event|experiment|file|function|goal|hour|line"
    r"|minute|module|month|namespace|node|page|region|request|route|second|shard|step|test"
    r"|variant|visitor|week|year"
)
# "visitors a variant needs": a relative clause, not a rate.
_NO_CLAUSE = r"(?! (?:can|gets?|had|has|holds?|is|may|must|needs?|saw|sees?|sends?|was)\b)"


@dataclass(frozen=True)
class Phrase:
    """An expression to avoid.

    `catches` is a sentence that has it; the sentences in `passes` look alike and are fine.
    """

    pattern: str
    advice: str
    catches: str
    passes: tuple[str, ...] = ()


PHRASES = [
    Phrase(
        r"(?<![Tt]here )\b(?:is|are|was|were) no (?!(?:longer|more|less|\w+er than)\b)",
        'write "is not a ..."',
        "70000 is no port",
        ("There is no port.", "It is no longer used.", "It is no smaller than before."),
    ),
    Phrase(
        r"\b(?:is|are|was|were) (?:not )?there"
        r"(?=[.,;:!)]| (?:already|and|at all|now|once|that|to be|yet)\b)"
        r"|\bwhat (?:is|was|should be) there\b|\bwere not there\b",
        'write "exists", "does not exist" or "was not found"',
        "The file config.json is not there.",
        ("Is there a file?", "There is a file.", "How many are there?"),
    ),
    Phrase(
        r"\bof (?:her|his|its|my|one's|our|their|your) own\b(?! (?:accord|choosing))",
        'write "its own ..." or "a separate ..."',
        "It runs in a process of its own.",
        ("It runs in its own process.", "of its own accord"),
    ),
    Phrase(
        r"\b(?:stand|stands|stood)\b(?! (?:alone|for|in for|out)\b)",
        'write "is", "appears", "is given" or "is printed"',
        "The name stands there twice.",
        ("k stands for the precision.", "one outstanding request", "a standing order"),
    ),
    Phrase(
        r"\bas of\b",
        'write "such as", "for example" or "since"',
        "Keeps experiments apart, as of two sites.",
        ("as often as possible",),
    ),
    Phrase(
        r"\bmend(?:s|ed|ing)?\b|\bput(?:s|ting)? (?:it |that |them |this )?right\b(?!-)",
        'write "fix"',
        "Run `gimel configure` to mend it.",
        ("We recommend a restart.", "Put right-aligned text here."),
    ),
    Phrase(
        r"\b(?:[Ll]eaves?|[Ll]eaving|left) "
        r"(?:(?!(?:and|find|or|run|time|to)\b)[\w`'-]+ ){0,5}?out\b",
        'write "omit", "skip", "exclude" or "without"',
        "Leave the checks of `gimel preflight` out.",
        ("It leaves time to find out.", "The worker left. It ran out.", "It leaves the rest."),
    ),
    Phrase(
        r"(?<![Tt]here )\b(?:is|are|was|were) none\b",
        'write "is not a ..." or "does not exist"',
        "certificates that are none",
        ("Return None if there is none.", "The value is None."),
    ),
    Phrase(
        r"\b[Tt]ell(?:s|ing)? (?:all|from|how|its|most|nothing|of|what|when|where|whether|which"
        r"|who)\b|\bcannot be told\b|\btold (?:apart )?from\b",
        'write "show", "print", "return", "calculate", "check" or "distinguish"',
        "Tell which variant wins.",
        ("It tells you which one.", "Tell the user why.", "as you were told above"),
    ),
    Phrase(
        r"\bwhat (?:is|was) meant\b|\b(?:was|were) meant to be\b"
        r"|\b(?:as|be|is|are|was|were) meant\b(?! (?:as|for|to)\b)",
        'write "expected", "intended", "planned" or "refers to"',
        "The traffic is not split as meant.",
        ("This flag is meant for tests.", "It is meant to fail."),
    ),
    Phrase(
        r"\b[Nn]obody(?:'s| is| was)\b",
        'write "no one", or name what is missing',
        "Nobody is there to be asked.",
        ("a value that nobody else uses",),
    ),
    Phrase(
        r"\brights\b|\bmissing right\b|\b[Aa] right (?:of|that|to|which)\b",
        'write "permissions"',
        "It prints the rights that Gimel needs.",
        ("It is right to ask.", "the copyright holder", "a right answer"),
    ),
    Phrase(
        rf"\b(?:{_COUNTED}) an? (?:{_UNIT})\b{_NO_CLAUSE}"
        rf"|\b(?:[Aa]|[Oo]ne) (?:{_SINGLE}) an? (?:{_UNIT})\b{_NO_CLAUSE}"
        r"|\b(?:\d[\d,.]* calls|many) an? (?:second|minute|hour|day)\b",
        'write "per"',
        "Experiments a namespace",
        (
            "Experiments per namespace",
            "How many visitors an experiment needs",
            "It counts a visitor.",
            "one request to a function",
            "the second of 16 calls",
        ),
    ),
    Phrase(
        r"\banew\b|\bonce more\b",
        'write "again"',
        "Open the page once more.",
        ("Open the page again.", "Once is enough. More is not."),
    ),
    Phrase(
        r"\bbeside (?:that|those|what|whatever)\b",
        'write "in addition to" or "besides"',
        "beside what it may do now",
        ("a template beside the code that uses it",),
    ),
    Phrase(
        r"(?<!one )(?<!user )(?<!visitor )(?<!who )\bwants\b",
        'write "needs", "requires" or "expects": people want, things do not',
        "The API wants its key.",
        ("anyone who wants the details", "what the user wants"),
    ),
    Phrase(
        r"\b(?:take|takes|taken|taking) in (?:account|the)\b",
        'write "account for" or "include"',
        "All of them take in the error of counting.",
        ("It takes part in the test.", "take it into account"),
    ),
    Phrase(
        r"\b(?:[Tt]ake|takes|taken|taking|took) "
        r"(?:(?:it|its|that|the|them|this|what)(?: \w+){0,5} )?away\b",
        'write "remove" or "delete"',
        "Take the public URL of the function away.",
        ("It takes a while. Go away.", "Remove the public URL."),
    ),
    Phrase(
        r"\b(?:go|goes) on\b(?! (?:the|a)\b)",
        'write "continue"',
        "Give --yes to go on without a question.",
        ("what goes on the page", "what is going on"),
    ),
    Phrase(
        r"\bin all(?=[.,;:)]|$)",
        'write "in total" or "altogether"',
        "Visitors in all.",
        ("in all three forms", "in all of them"),
    ),
    Phrase(
        r"\ball that\b",
        'write "everything that" or "all the ... that"',
        "Remove all that deploy made.",
        ("Remove everything that deploy made.",),
    ),
    Phrase(
        r"\b(?:lie|lies) (?:at|beside|here|in|there)\b|\blies(?=[.,;:])",
        'write "is", "is stored" or "is kept"',
        "Where everything lies in Redis.",
        ("The estimate lies between the two.", "It lies within the limits."),
    ),
    Phrase(
        r"\bdear(?:er|est)\b",
        'write "most expensive" or "costs more"',
        "the dearest import of a cold start",
    ),
    Phrase(
        r"\bat last[.,;]",
        'write "finally" or "last"',
        "It is made at last.",
        ("at last count",),
    ),
    Phrase(
        r"\bknows? (?:neither|no|of neither|of no)\b",
        'write "does not know" or "has no"',
        "They know no client.",
        ("It knows nothing about counters.",),
    ),
    Phrase(
        r"(?:^|[.;] )Of (?!course\b)",
        "begin the sentence with its subject",
        "Of all variants together.",
        ("Of course.", "the sum of all variants"),
    ),
    Phrase(
        r"(?:(?:^|\. )Who|[;:] who) \w+(?: [\w']+){1,8} (?:gets|is|means|must)\b(?![^.]*\?)",
        'write "a caller who ...", "anyone who ..."',
        "Who may not ask is told so.",
        (
            "Who is allowed to call it?",
            "Who may sign in, and how often a key may be tried.",
            "a user, who may not run INFO and is warned.",
        ),
    ),
    Phrase(
        r"(?:^|[.!] )(?:Are|Is) (?:it|the|this|your)\b[^.?]*\?",
        'give an instruction: "Check that ..."',
        "Is it running, and is the address right?",
        ("Check that it is running.", "How is the data kept?"),
    ),
    Phrase(
        r"\blooks? (?:if|whether)\b",
        'write "check whether"',
        "It looks whether the counter may stay.",
        ("It looks for the counter.",),
    ),
    Phrase(
        r"\bdivided by (?:commas|spaces)\b",
        'write "separated by"',
        "a list, divided by commas",
        ("0.65% divided by the square root",),
    ),
    Phrase(
        r"\bno way back\b",
        'write "cannot be undone"',
        "There is no way back.",
    ),
    Phrase(
        r"\b(?:about|at|in|of|on|those|to) so many\b",
        'name the number: "the given number of", "`size` ..."',
        "Return the cost at so many MB.",
        ("There are so many of them.",),
    ),
    Phrase(
        r"\bfor ever\b",
        'write "forever" or "indefinitely"',
        "Logs are kept for ever.",
        ("for every log",),
    ),
    Phrase(
        r"\b(?:come|comes|came) to be\b|\ba like\b|\bits likes\b",
        'write "is created", "similar", "and similar"',
        "It did not come to be.",
    ),
    Phrase(
        r"\b(?:[Aa]ll|[Aa]nything|[Ee]verything|[Nn]othing) of Gimel's\b",
        """write "Gimel's resources" or "a Gimel deployment" """,
        "Nothing of Gimel's is in us-east-1.",
        ("one of Gimel's functions",),
    ),
]
