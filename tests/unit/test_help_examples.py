"""The messages of Help: each has an example for whatever it names."""

from sync_core.ui import help_examples


def test_every_message_is_a_whole_sentence() -> None:
    told = [text for *texts, _who in help_examples.messages() for text in texts]
    lacking = [text for text in told if help_examples.MISSING in text]
    assert lacking == [], "give an example of the fact in sync_core/ui/help_examples.py"
    assert [text for text in told if "{" in text or not text.endswith(".")] == []
