"""What Streamlit keeps for pages expires without a moment in which it can be neither had nor made.

Its `cache_resource` looks whether a value is kept, then takes it: of one that expires in between,
Streamlit 1.67.0 raises KeyError, and a visitor saw an error instead of the page.
"""

from typing import Any

from streamlit.runtime.caching.cache_errors import CacheKeyNotFoundError
from streamlit.runtime.caching.cache_resource_api import ResourceCache
from streamlit.runtime.caching.cached_message_replay import CachedResult

_take = ResourceCache.read_result


def _read(cache: ResourceCache[Any], key: str) -> CachedResult[Any]:
    """Read what is kept; of what has just expired say, as of all that is not, that it is not."""
    try:
        return _take(cache, key)
    except KeyError:
        raise CacheKeyNotFoundError from None


def take_effect() -> None:
    """Let all that is kept for pages expire so, from now on."""
    ResourceCache.read_result = _read  # type: ignore[method-assign, assignment]
