import pytest
from cases import cases

from photomap_cli import settings
from photomap_cli.errors import BadSetting
from photomap_cli.settings import load, parse_duration, write_value


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.delenv("PHOTOMAP_WATCH")
    return tmp_path / "conf" / "config.toml"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("30s", 30), ("5m", 300), ("1h", 3600), ("0", 0), ("off", 0), ("never", 0), ("1.5m", 90), (30, 30)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@cases("text", ["-1", "-5m", "soon", "", "5 days", "nan", "inf", float("nan"), float("inf"), -3, None, True])
def test_durations_refused(text):
    with pytest.raises(ValueError, match=r"negative|isn't a duration"):
        parse_duration(text)


def test_defaults(config):
    loaded = load(config)
    assert loaded.values.encoder_idle_timeout_seconds == 30
    assert loaded.values.encoder_release_timeout_seconds == 600
    assert set(loaded.origins.values()) == {"default"}


def test_flags_beat_the_environment_which_beats_the_file_which_beats_defaults(config, monkeypatch):
    for name, value in {"results": "3", "device": "cpu", "encoder": "tiny"}.items():
        write_value(config, name, value)
    monkeypatch.setenv("PHOTOMAP_DEVICE", "cuda")
    monkeypatch.setenv("PHOTOMAP_ENCODER", "from-the-environment/x")
    loaded = load(config, {"encoder": "from-a-flag/x", "results": None})
    assert (loaded.values.results, loaded.values.device, loaded.values.encoder) == (3, "cuda:0", "from-a-flag/x")
    assert loaded.origins["results"] == "config.toml"
    assert loaded.origins["device"] == "environment"
    assert loaded.origins["encoder"] == "flag"
    assert loaded.origins["prewarm"] == "default"


@pytest.mark.parametrize("value", ["-1", "soon"])
def test_a_bad_timeout_is_refused_with_its_name_origin_and_reason(config, monkeypatch, value):
    monkeypatch.setenv("PHOTOMAP_ENCODER_IDLE_TIMEOUT_SECONDS", value)
    with pytest.raises(BadSetting, match=r"encoder_idle_timeout_seconds \(environment\): .*" + value):
        load(config)


@pytest.mark.parametrize("text", ["0", "45", "90s", "5m"])
def test_the_timeout_round_trips_through_the_file(config, text):
    written = write_value(config, "encoder_idle_timeout_seconds", text)
    assert load(config).values.encoder_idle_timeout_seconds == written == parse_duration(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("exclude", "*.png, tmp/"),
        ("min_score", "0.2"),
        ("min_score", "auto"),
        ("max_image_megapixels", "200"),
        ("prewarm", "false"),
        ("precision", "bfloat16"),
    ],
)
def test_every_kind_of_value_round_trips(config, name, value):
    assert getattr(load(config, None).values, name) is not None
    written = write_value(config, name, value)
    assert getattr(load(config).values, name) == written


@pytest.mark.parametrize("text", ["*.png,raw/**", '["*.png", "raw/**"]', " ['*.png' , 'raw/**', ''] "])
def test_lists_come_from_the_environment_with_commas_or_as_in_the_file(config, monkeypatch, text):
    monkeypatch.setenv("PHOTOMAP_EXCLUDE", text)
    assert load(config).values.exclude == ("*.png", "raw/**")


def test_a_glob_in_brackets_is_no_list(config):
    assert write_value(config, "exclude", "[ab], [cd]") == ("[ab]", "[cd]")
    assert load(config).values.exclude == ("[ab]", "[cd]")


@pytest.mark.parametrize("spec", ["auto", "tiny", "ViT-B-32/laion", "hf-hub:a/b", "local-dir:x", "hf-hub:a"])
def test_an_encoder_may_be_any_that_has_the_form_of_one(config, spec):
    assert write_value(config, "encoder", spec) == spec


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("encoder_idle_timeout_seconds", "-1"),
        ("results", "0"),
        ("results", "many"),
        ("device", "tpu"),
        ("precision", "int8"),
        ("min_score", "2"),
        ("min_score", "high"),
        ("max_image_megapixels", "-4"),
        ("encoder", "nonsense"),
        ("encoder", "ViT-B-32/"),
        ("encoder", ""),
        ("exclude", "[1, 2]"),
    ],
)
def test_a_refused_value_leaves_the_file_as_it_was(config, name, value):
    write_value(config, "results", "7")
    before = config.read_bytes()
    with pytest.raises(BadSetting):
        write_value(config, name, value)
    assert config.read_bytes() == before


def test_comments_in_the_file_are_kept(config):
    config.parent.mkdir()
    config.write_text("# mine\nresults = 5  # enough\n")
    write_value(config, "results", "6")
    assert config.read_text() == "# mine\nresults = 6  # enough\n"


def test_an_unknown_setting_gets_a_suggestion(config):
    with pytest.raises(BadSetting) as caught:
        write_value(config, "encoder_idle_timeout", "5")
    assert caught.value.hint == "did you mean encoder_idle_timeout_seconds?"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("results", "0", "results takes a whole number from 1 to 10,000, not '0'"),
        ("results", "many", "results takes a whole number from 1 to 10,000, not 'many'"),
        ("min_score", "high", "min_score takes auto or a number from -1 to 1, not 'high'"),
        ("same_shot_score", "2", "same_shot_score takes a number above 0, up to 1, not '2'"),
        (
            "thumbnail_cache_megabytes",
            "inf",
            "thumbnail_cache_megabytes takes a number from 0 to 1,000,000,000, not 'inf'",
        ),
        ("precision", "int8", "precision takes auto, float32, bfloat16 or float16, not 'int8'"),
        ("prewarm", "maybe", "prewarm takes true or false, not 'maybe'"),
        (
            "encoder",
            "",
            "encoder: '' isn't an encoder; write auto, tiny, MODEL/TAG, hf-hub:ORG/NAME or local-dir:/PATH",
        ),
        ("device", "tpu", "device: 'tpu' isn't a device; choose auto, cuda:0 (or another number), mps or cpu"),
    ],
)
def test_a_refused_value_is_told_with_what_is_allowed(config, name, value, message):
    with pytest.raises(BadSetting) as caught:
        write_value(config, name, value)
    assert (caught.value.message, caught.value.hint.partition(":")[0]) == (message, name)


def test_the_way_out_of_a_refused_value_is_where_it_came_from(config, monkeypatch):
    config.parent.mkdir()
    config.write_text("results = 0\n")
    with pytest.raises(BadSetting) as caught:
        load(config)
    assert caught.value.message == "results (config.toml) takes a whole number from 1 to 10,000, not 0"
    assert caught.value.hint == "`photomap config set results VALUE` fixes it"
    write_value(config, "results", "5")
    assert load(config).values.results == 5
    monkeypatch.setenv("PHOTOMAP_RESULTS", "few")
    with pytest.raises(BadSetting, match=r"results \(environment\) takes .*, not 'few'") as caught:
        load(config)
    assert caught.value.hint == "change or unset PHOTOMAP_RESULTS"


def test_variables_that_name_no_setting_are_pointed_at(config):
    environment = {
        "PHOTOMAP_RESULTZ": "3",
        "photomap_keys": "vi",
        "PHOTOMAP_LIBRARY": "/l",
        "HOME": "/h",
        "PHOTOMAP_": "",
    }
    found = [(each.message, each.hint) for each in settings.unknown_variables(environment)]
    assert found == [
        ("PHOTOMAP_ names no setting", "`photomap config` lists the settings"),
        ("PHOTOMAP_RESULTZ names no setting", "did you mean PHOTOMAP_RESULTS?"),
    ]


def test_a_broken_file_is_named(config):
    config.parent.mkdir()
    config.write_text("results = = 3")
    with pytest.raises(BadSetting, match=r"config\.toml"):
        load(config)


def test_every_setting_has_a_description():
    assert all(field.description for field in settings.Settings.model_fields.values())


def test_a_text_template_has_one_place_for_the_text(tmp_path):
    config = tmp_path / "config.toml"
    assert write_value(config, "text_template", "a photo of {}") == "a photo of {}"
    for wrong in ("a photo", "{} and {}", ""):
        with pytest.raises(BadSetting, match="text_template"):
            write_value(config, "text_template", wrong)
