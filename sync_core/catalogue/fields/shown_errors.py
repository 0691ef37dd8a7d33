"""What spreadsheets show where there is no value: errors in every language, and half a load."""

import re

# Formulas that wait for other sheets, as Google shows them in the languages of its menus.
_LOADING = frozenset(
    f"{word}{dots}"
    for word in (
        "Loading,Wird geladen,Chargement,Chargement en cours,Cargando,Caricamento"
        ",Caricamento in corso,Carregando,A carregar,Laden,Laddar,Indlæser,Laster inn,Ladataan"
        ",Ładowanie,Trwa ładowanie,Načítání,Yükleniyor,Загрузка,Завантаження,読み込んでいます"
        ",로드 중,正在加载"
    ).split(",")
    for dots in ("...", "\N{HORIZONTAL ELLIPSIS}")
)

# Excel translates its errors; nearly all keep the form of #REF! or #N/A, all in capitals: #BEZUG!,
# #¡VALOR!, #NOM ?, #Н/Д, #GETTING_DATA. So new ones are known as well.
_CAPITALS = re.compile(
    r"#[¡¿]?[^\W\d_](?:[^\W_]|[/_.'\u2019-])*\s?[!?]|#[^\W\d_]{1,2}/[^\W\d_]{1,4}"
    r"|#[^\W\d_]+(?:_[^\W\d_]+)+"
)
_OTHERS = frozenset(  # of that form in no language, or of databases, in small letters
    "#nv #yok #saknas #puuttuu #hiányzik #nedostupný #error #deleted #name? #num! #div/0! #type!"
    " #func! #size! #value! #ref! #null! #n/a #error!".split()
)
_LIBRE_OFFICE = (
    *("Err", "Error", "Fehler", "Erreur", "Errore", "Erro", "Fout", "Fel", "Feil", "Fejl", "Virhe"),
    *("Hiba", "Chyba", "Błąd", "Hata", "Ошибка", "Помилка", "エラー", "오류", "错误", "錯誤"),
)
WITHOUT_HASH = _LOADING | {  # all that does not begin with a #
    f"{word}{gap}:{code}" for word in _LIBRE_OFFICE for gap in ("", " ") for code in range(501, 541)
}
_TOO_NARROW = re.compile("##+")


def is_error(text: str) -> bool:
    """Return whether a cell shows an error of a formula, or that it waits for its value."""
    if not text.startswith("#"):
        return text in WITHOUT_HASH
    capitals = text == text.upper() and _CAPITALS.fullmatch(text)
    return bool(capitals) or text.lower() in _OTHERS


def is_too_narrow(text: str) -> bool:
    """Return whether a column was too narrow for what its cell holds: ########."""
    return bool(_TOO_NARROW.fullmatch(text))
