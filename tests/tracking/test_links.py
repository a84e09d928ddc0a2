from pathlib import Path

from phytoflow.tracking.links import run_pages, without_secret

CURVES = "#/experiments/1/runs/r/model-metrics?workflowType=machine_learning"


def test_a_servers_pages_are_linked_without_the_password() -> None:
    pages = run_pages("https://me:hidden@mlflow.example/base/", None, "1", "r")
    assert pages.curves == f"https://mlflow.example/base/{CURVES}"
    assert pages.command == ""


def test_the_store_of_an_output_is_opened_from_within_it() -> None:
    pages = run_pages("/runs/my 50%/mlflow.db", Path("/runs/my 50%"), "1", "r")
    assert pages.command == "cd '/runs/my 50%' && mlflow ui --backend-store-uri sqlite:///mlflow.db"
    assert pages.curves == f"http://127.0.0.1:5000/{CURVES}"


def test_another_database_is_opened_by_its_address() -> None:
    pages = run_pages("sqlite:////team/runs.db", None, "1", "r")
    assert pages.command == "mlflow ui --backend-store-uri sqlite:////team/runs.db"


def test_links_between_pages_name_the_pages_for_training() -> None:
    pages = run_pages("http://mlflow:5000", None, "7", "abc")
    assert pages.fragment("artifacts/evaluation/report.html") == (
        "#/experiments/7/runs/abc/artifacts/evaluation/report.html?workflowType=machine_learning"
    )


def test_a_secret_is_left_out() -> None:
    assert without_secret("postgresql://u:p@db/mlflow") == "postgresql://db/mlflow"
    assert without_secret("sqlite:///x.db") == "sqlite:///x.db"
