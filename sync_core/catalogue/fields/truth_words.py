"""Yes and no in the languages in which Google Sheets writes numbers and dates.

First what a spreadsheet in the language shows for TRUE and FALSE, where it translates them, then
what people type. English counts everywhere. Single letters are left out unless the language's own
forms use them.
"""

from functools import cache

from sync_core.catalogue.fields.cells import plain

EVERYWHERE = ("true yes y t on 1 ✓ ✔ ☑ ✅", "false no n f off 0 ✗ ✘ ☐ ❌")  # an x may mean either
BY_LANGUAGE: dict[str, tuple[str, str]] = {
    "ar": ("صحيح صواب نعم", "خطأ خاطئ لا"),
    "az": ("doğru bəli hə", "yanlış xeyr yox"),
    "be": ("ісціна праўда так", "хлусня няпраўда не"),
    "bg": ("истина вярно да", "лъжа невярно не"),
    "bn": ("সত্য হ্যাঁ", "মিথ্যা না"),
    "ca": ("cert vertader sí si", "fals no"),
    "cs": ("pravda ano a", "nepravda ne n"),
    "cy": ("gwir ydy ie oes", "anwir nac na nage"),
    "da": ("sand ja j", "falsk nej n"),
    "de": ("wahr ja j", "falsch nein n"),
    "el": ("αληθής αληθησ ναι", "ψευδής ψευδησ όχι οχι"),
    "es": ("verdadero sí si s", "falso no n"),
    "et": ("tõene jah", "väär ei"),
    "eu": ("egia bai", "gezurra faltsua ez"),
    "fa": ("درست بله", "نادرست خیر نه"),
    "fi": ("tosi kyllä k", "epätosi ei e"),
    "fil": ("totoo oo", "mali hindi"),
    "fr": ("vrai oui o", "faux non n"),
    "gl": ("verdadeiro certo si", "falso non"),
    "gu": ("સાચું હા", "ખોટું ના"),
    "he": ("אמת כן", "שקר לא"),
    "hi": ("सत्य सही हाँ हां", "असत्य गलत ग़लत नहीं"),
    "hr": ("istina točno da d", "laž netočno ne n"),
    "hu": ("igaz igen i", "hamis nem n"),
    "hy": ("ճշմարիտ այո", "կեղծ ոչ"),
    "id": ("benar ya", "salah tidak"),
    "is": ("satt já", "ósatt nei"),
    "it": ("vero sì si s", "falso no n"),
    "ja": ("真 はい ○ 〇", "偽 いいえ × ✕"),
    "ka": ("ჭეშმარიტი კი დიახ", "მცდარი არა"),
    "kk": ("ақиқат иә", "жалған жоқ"),
    "kn": ("ಸರಿ ಹೌದು", "ತಪ್ಪು ಇಲ್ಲ"),
    "ko": ("참 예 네", "거짓 아니요 아니오"),
    "lt": ("tiesa taip", "netiesa melas ne"),
    "lv": ("patiess jā", "aplams nē"),
    "ml": ("ശരി അതെ", "തെറ്റ് അല്ല"),
    "mn": ("үнэн тийм", "худал үгүй"),
    "mr": ("सत्य होय", "असत्य नाही"),
    "ms": ("benar ya", "salah palsu tidak"),
    "my": ("မှန် ဟုတ်", "မှား မဟုတ်"),
    "nb": ("sann ja j", "usann nei n"),
    "nl": ("waar ja j", "onwaar nee n"),
    "nn": ("sann ja j", "usann nei n"),
    "pa": ("ਸਹੀ ਹਾਂ", "ਗਲਤ ਨਹੀਂ"),
    "pl": ("prawda tak t", "fałsz nie n"),
    "pt": ("verdadeiro sim s", "falso não nao n"),
    "ro": ("adevărat da", "fals nu"),
    "ru": ("истина да", "ложь нет"),
    "sk": ("pravda áno ano a", "nepravda nie n"),
    "sl": ("resnično da d", "neresnično ne n"),
    "sr": ("тачно истина да tačno istina da", "нетачно лаж не netačno laž ne"),
    "sv": ("sant ja j", "falskt nej n"),
    "ta": ("உண்மை ஆம்", "பொய் இல்லை"),
    "te": ("నిజం అవును", "అబద్ధం కాదు"),
    "th": ("จริง ใช่", "เท็จ ไม่ใช่ ไม่"),
    "tr": ("doğru evet e", "yanlış hayır h"),
    "uk": ("істина правда так", "хибність хиба неправда ні"),
    "ur": ("درست ہاں", "غلط نہیں"),
    "uz": ("rost ha", "yolgʻon yoʻq"),
    "vi": ("đúng có", "sai không"),
    "zh": ("真 是 對 对", "假 否 錯 错"),
}


@cache
def meanings(language: str) -> dict[str, str]:
    """Return "true" or "false" for every spelling in a language, folded as `folded` does."""
    told: dict[str, str] = {}
    for yes, no in (BY_LANGUAGE.get(language, ("", "")), EVERYWHERE):
        told |= _spelt(no, "false") | _spelt(yes, "true")
    return told


def _spelt(words: str, meaning: str) -> dict[str, str]:
    # In capitals, a Turkish dotless i becomes the I of all, whose small letter has a dot.
    forms = (form for word in words.split() for form in (word, word.upper()))
    return {folded(form): meaning for form in forms}


def folded(text: str) -> str:
    """Take away what does not matter in a word: capitals, blanks, hyphens."""
    return "".join(plain(text).casefold().replace("-", " ").replace("_", " ").split())
