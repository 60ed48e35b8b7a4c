"""Image classifiers of the hub, from folders made here: read as JSON and safetensors alone."""

import json
import shutil
import sys

import pytest
import torch

import pellucid
from pellucid.errors import UserError
from pellucid.opening import understand
from pellucid.opening.facts import Facts

transformers = pytest.importorskip("transformers")

IMAGES = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
NORMAL = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4], "do_normalize": True}


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    """The folder of a tiny ViT with three classes."""
    return saved(tmp_path_factory.mktemp("vit"), names=("ant", "bee", "cat"))


def saved(folder, names=None, kind="ViTForImageClassification"):
    torch.manual_seed(0)
    labels = {} if names is None else {"id2label": dict(enumerate(names))}
    config = transformers.ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        image_size=8, patch_size=4, num_labels=3, **labels,
    )  # fmt: skip
    getattr(transformers, kind)(config).save_pretrained(folder)
    return folder


@pytest.fixture
def variant(vit, tmp_path):
    """A copy of the folder with other settings."""

    def make(preprocessor=None, **settings):
        folder = tmp_path / "variant"
        shutil.copytree(vit, folder)
        config = json.loads((folder / "config.json").read_text()) | settings
        (folder / "config.json").write_text(json.dumps(config))
        if preprocessor is not None:
            (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
        return folder

    return make


def sentence(reference, **facts):
    with pytest.raises(UserError) as caught:
        pellucid.open(reference, **facts)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def whole(folder):
    return transformers.AutoModelForImageClassification.from_pretrained(folder).eval()


def test_a_folder(variant, capsys):
    folder = variant(NORMAL | {"do_rescale": True, "rescale_factor": 0.00392156862745098})
    transformers.utils.logging.set_verbosity_warning()
    state = torch.random.get_rng_state()
    found = understand(f"hf:{folder}")
    assert capsys.readouterr() == ("", "")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert transformers.utils.logging.get_verbosity() == transformers.logging.WARNING
    assert transformers.utils.logging.is_progress_bar_enabled()
    assert found.facts == Facts(
        emits="logits", shape=(3, 8, 8), bounds=(0.0, 1.0), labels=("ant", "bee", "cat"),
        mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4),
    )  # fmt: skip
    assert found.notes == ()
    mean, std = (torch.tensor(v)[:, None, None] for v in ((0.5, 0.4, 0.3), (0.2, 0.3, 0.4)))
    with torch.no_grad():
        wanted = whole(folder)((IMAGES - mean) / std).logits
    torch.testing.assert_close(found.box("white").logits(IMAGES), wanted)


def test_gradients_can_be_taken_twice(vit):
    x = IMAGES.clone().requires_grad_()
    out = pellucid.open(f"hf:{vit}", access="gradient").logits(x).sum()
    (once,) = torch.autograd.grad(out, x, create_graph=True)
    (twice,) = torch.autograd.grad((once**2).sum(), x)
    assert twice.abs().sum() > 0


def test_a_folder_without_a_preprocessor_says_so(vit):
    found = understand(f"hf:{vit}")
    assert found.facts.shape == (3, 8, 8)
    assert "no preprocessor_config.json, so bounds, mean and std are not known" in found.notes[0]


def test_images_in_the_users_units(variant):
    """Bounds that are declared stand for the pixels 0 and 255."""
    folder = f"hf:{variant(NORMAL)}"
    bytes_box, box = pellucid.open(folder, bounds=(0.0, 255.0)), pellucid.open(folder)
    torch.testing.assert_close(bytes_box.logits(255 * IMAGES), box.logits(IMAGES))


def test_channels_in_reverse(variant):
    folder = variant({"do_flip_channel_order": True, "do_normalize": False})
    box = pellucid.open(f"hf:{folder}")
    with torch.no_grad():
        torch.testing.assert_close(box.logits(IMAGES), whole(folder)(IMAGES.flip(1)).logits)


@pytest.mark.parametrize("split", [True, False])
def test_a_resnet_whose_size_the_preprocessor_says(tmp_path, split):
    torch.manual_seed(0)
    config = transformers.ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], num_labels=3
    )
    model = transformers.ResNetForImageClassification(config)
    model.save_pretrained(tmp_path, max_shard_size="1KB" if split else "1GB")
    assert (tmp_path / "model.safetensors.index.json").exists() is split
    assert "shape of an input is not known" in sentence(f"hf:{tmp_path}")
    settings = {"size": {"shortest_edge": 8}, "crop_pct": 0.875}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    found = understand(f"hf:{tmp_path}")
    assert (found.facts.shape, found.facts.labels) == ((3, 8, 8), None)
    torch.testing.assert_close(found.box("white").logits(IMAGES), model.eval()(IMAGES).logits)


def test_names_that_stand_twice_get_their_numbers(tmp_path):
    folder = saved(tmp_path, names=("crane", "bee", "crane"))
    assert understand(f"hf:{folder}").facts.labels == ("crane", "bee", "crane (2)")


def test_half_precision_is_told(variant):
    folder = variant(dtype="float16")
    assert "Its weights are stored as float16, and used as float32." in (
        understand(f"hf:{folder}").notes
    )


def test_a_regressor_answers_values(variant):
    found = understand(f"hf:{variant(problem_type='regression')}")
    assert found.facts.emits == "values"


def test_models_of_several_labels_are_refused(variant):
    folder = variant(problem_type="multi_label_classification")
    assert "several labels a row" in sentence(f"hf:{folder}")


def test_a_head_that_was_never_trained_is_refused(tmp_path, variant):
    folder = saved(tmp_path, kind="ViTModel")
    assert "lack classifier.bias, classifier.weight" in sentence(f"hf:{folder}")
    five = {str(i): f"name {i}" for i in range(5)}
    assert "lack classifier.bias, classifier.weight" in sentence(f"hf:{variant(id2label=five)}")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"auto_map": {"AutoConfig": "evil.C", "AutoModelForImageClassification": "evil.M"}},
         "code of its own"),
        ({"auto_map": {"AutoModel": "evil.M"}, "model_type": "evil"}, "code of its own"),
        ({"_attn_implementation": "someone/kernel"}, "kernels from the hub"),
        ({"vision": [{"attn_implementation": "someone/kernel"}]}, "kernels from the hub"),
        ({"quantization_config": {"quant_method": "fp8"}}, "another library's kernels"),
        ({"model_type": "nosuch"}, "cannot load an image classifier from"),
        ({"model_type": "bert"}, "cannot load an image classifier from"),
        ({"hidden_size": "eight"}, "cannot load an image classifier from"),
    ],
)  # fmt: skip
def test_folders_that_ask_for_foreign_code_or_are_of_another_kind(variant, settings, says):
    folder = variant(**settings)
    mark = folder / "ran"
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w').close()")
    assert says in sentence(f"hf:{folder}")
    assert not mark.exists()


def test_pickled_weights_are_refused_and_can_be_converted(variant):
    folder = variant()
    model = whole(folder)
    (folder / "model.safetensors").unlink()
    assert "holds no model.safetensors" in sentence(f"hf:{folder}")
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    text = sentence(f"hf:{folder}")
    assert "are pickled, and safetensors alone are read" in text
    exec(text.split("`")[1], {})
    torch.testing.assert_close(
        pellucid.open(f"hf:{folder}").logits(IMAGES), model(IMAGES).logits.detach()
    )


def test_folders_that_are_not_whole(variant, tmp_path):
    folder = variant({"image_mean": ["a"], "image_std": [1.0]})
    assert "image_mean is ['a'], where numbers are due" in sentence(f"hf:{folder}")
    (folder / "preprocessor_config.json").write_text("[1]")
    assert "holds no table of settings" in sentence(f"hf:{folder}")
    (folder / "preprocessor_config.json").unlink()
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    assert "cannot load an image classifier" in sentence(f"hf:{folder}")
    weights.rename(folder / "other.safetensors")
    index = folder / "model.safetensors.index.json"
    for places in ({"weight_map": {"w": "../evil.bin"}}, {"weight_map": 3}, {}):
        index.write_text(json.dumps(places))
        assert "where files beside it" in sentence(f"hf:{folder}")
    (folder / "config.json").write_text("{no")
    assert "cannot be read as JSON" in sentence(f"hf:{folder}")
    (folder / "config.json").unlink()
    assert "has no config.json" in sentence(f"hf:{folder}")
    assert "has no config.json" in sentence(f"hf:{tmp_path}")


def test_names_that_cannot_be_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for name in ("nobody/nothing", "nobody/nothing@main"):
        with pytest.raises(UserError, match="could not be fetched from the hub") as caught:
            pellucid.open(f"hf:{name}")
        assert caught.value.exit_code == 3
    assert "it is no name on the hub" in sentence("hf:./no/such/folder")


def test_a_name_in_the_cache_is_opened_without_the_hub(vit, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository, commit = tmp_path / "models--some--vit", "a" * 40
    shutil.copytree(vit, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    for reference in ("hf:some/vit", f"hf:some/vit@{commit}"):
        assert understand(reference).facts.labels == ("ant", "bee", "cat")


def test_without_the_extra(vit, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert "pip install 'pellucid[hub]'" in sentence(f"hf:{vit}")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert "pip install 'pellucid[hub]'" in sentence("hf:some/name")
