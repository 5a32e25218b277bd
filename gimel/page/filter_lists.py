"""Which event URLs the filter lists of ad blockers match: facts about paths and names. Pure.

uBlock Origin, Brave and other ad blockers compare the URL of every request with lists such as
EasyList and EasyPrivacy. Most rules name the hosts or scripts of advertisers. These are the words
by which a rule for all hosts matches a Gimel backend. Tests compare them with the lists of May
2026. The lists change, so other words may be blocked by now.

AlephBet sends an event by GET, with its fields in the query. gimel.js sends events by POST without
a query, which far fewer rules match.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Some match only below /prod, the stage of the REST API, and some only directly below a .com host.
_WITH_QUERY = _words(
    """
    add_page_view ajaxlog analytics-hit apilog app-measurement clicktrack clientstat clk comscore
    cookiewall count count.do counter event-log eventlogservlet eventsbeacon fe_logger gafunction
    gen204 hit_count hitcount imgevent js_event_tracking js_tracking logaction loganalyticsevent
    logevent logimpression logimpressions logperf omniture page-addviews pagestat pagetag
    pagetracker performancemetrics ping pingaudience pingd pixel_tracking postlog recommendtrack
    record-impressions record-stats recordhit rum-track statspixel statstracker track track-imp
    track-visit track_click track_page_view track_pageview track_pixel track_stat track_visit
    track_visitor trackconversion trackpagecover trackpageview trackpixel trackpxl trackstats
    trackvisit trackwebpage uedata utrack visit-tag visitor_info visitortrack visittracking
    web-data-ingress

    0.gif 1px.gif 1x1.gif a.gif abc.gif analytics.gif b.gif batch.gif bcn.gif beacon.gif blank.gif
    c.gif clear.gif collect.gif count.gif d.gif dc.gif dot.gif e.gif event.gif events.gif evt.gif
    f.gif g.gif ga.gif h.gif i.gif imp.gif impression.gif log.gif m.gif null.gif o.gif p.gif
    page-view.gif pageviews.gif ping.gif pix.gif pixel.gif pv.gif px.gif r.gif rum.gif s.gif
    spacer.gif stat.gif stats.gif t.gif tr.gif tracker.gif trk.gif u.gif v.gif view.gif visit.gif
    w.gif x.gif z.gif 1x1.png count.png track.png

    1px.php count.php counter.asp counter.aspx counter.cgi event.cgi hit.php imp.php impression.php
    log.aspx open.aspx pagecount.php pixel.cgi stats.aspx trk.php visitor.aspx weblog.php
    """
)

_WITHOUT_QUERY = _words("nb-collector pingback")

_ALWAYS = _words(
    """
    __utm.gif analytics-collector beacon.js clickcount.php entities event_logger frontend-metrics
    getlog.gif gtag.js hit_counter hitcount.php matomo.php nobot prod_analytics report-only
    statcounter.asp stats-collect statsd_proxy tracking_pixel vtrack webstats.php
    """
)

# The sizes of banners, and phrases from the names of scripts that show banners.
_NAME_PART = re.compile(
    r"""
    -(?: 120x600 | 468x60 | 728x90 )-
    | _(?: 120x600 | 160x600 | 300x250 | 300x600 | 468x60 | 728x90 )_
    | -(?: banner-ads | consent-banner | cookie-consent | cookie-notice | gdpr-cookie )-
    | _reklama_
    """,
    re.VERBOSE | re.IGNORECASE,
)


def blocked_methods(path: str) -> tuple[str, ...]:
    """Return the methods of events that are blocked on a path: GET, POST, both or none.

    `path` is the last part of the URL, such as "track". GET has the event in its query, POST has no
    query.
    """
    word = path.lower()
    blocked = {
        "GET": word in _WITH_QUERY or word in _ALWAYS,
        "POST": word in _WITHOUT_QUERY or word in _ALWAYS,
    }
    return tuple(method for method, is_blocked in blocked.items() if is_blocked)


def blocked_part(name: str) -> str | None:
    """Return the part of a name by which lists match a GET that has it in the query, or None.

    The name may be that of a namespace, an experiment, a variant or a goal.
    """
    found = _NAME_PART.search(name)
    return found[0] if found else None
