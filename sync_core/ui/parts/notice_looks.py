"""How what people are told looks, by its kind: an icon and a colour, never the colour alone."""

from collections.abc import Mapping

from sync_core.foundation.vocabulary import NoticeKind
from sync_core.ui.parts.words import Color

LOOKS: Mapping[NoticeKind, tuple[str, Color]] = {
    NoticeKind.SUCCEEDED: (":material/check_circle:", "green"),
    NoticeKind.PARTIAL: (":material/warning:", "orange"),
    NoticeKind.FAILED: (":material/error:", "red"),
    NoticeKind.WAITING: (":material/front_hand:", "orange"),
    NoticeKind.RECOVERED: (":material/check_circle:", "green"),
    NoticeKind.STALE: (":material/hourglass_bottom:", "orange"),
    NoticeKind.FRESH: (":material/check_circle:", "green"),
    NoticeKind.PAUSED: (":material/pause_circle:", "orange"),
    NoticeKind.CANCELLED: (":material/block:", "gray"),
    NoticeKind.EXPIRED: (":material/hourglass_disabled:", "gray"),
}
