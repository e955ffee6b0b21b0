from cases import cases

from photomap_cli.records import FilterKind
from photomap_cli.search.quote_suggestion import quoted_filter

KNOWN = {(FilterKind.CAMERA, "eos 40d"), (FilterKind.LENS, "EF 50mm f/1.8"), (FilterKind.IN, "/home/My Photos")}


@cases(
    ("text", "meant"),
    [
        ("camera:eos 40d", 'camera:"eos 40d"'),
        ("camera:eos 40d dog", 'camera:"eos 40d"'),
        ("dog camera:eos 40d after:2020", 'camera:"eos 40d"'),
        ("dog -camera:eos 40d", '-camera:"eos 40d"'),
        ("lens:EF 50mm f/1.8", 'lens:"EF 50mm f/1.8"'),
        ("in:My Photos dog", 'in:"My Photos"'),
        ("camera:nikon dog", ""),
        ("camera:eos + 40d", ""),
        ("camera:eos -40d", ""),
        ("year:eos 40d", ""),
        ("eos 40d", ""),
        ("min:eos 40d", ""),
        ('camera:"eos" 40d', ""),
    ],
)
def test_words_behind_a_filter_are_part_of_its_value_where_photos_have_it(text, meant):
    assert quoted_filter(text, cwd="/home", finds=lambda one: (one.kind, one.value) in KNOWN) == meant


def test_few_filters_are_tried():
    tried = []
    assert quoted_filter("camera:a " + "b " * 1000, cwd="/", finds=lambda one: bool(tried.append(one))) == ""
    assert len(tried) < 10
