//! What people do at a terminal, played and compared with the recordings in `docs/terminal`.

use std::{fs, path::Path};

use tests::walkthroughs::{self, ALL, Walkthrough};

async fn plays_as_recorded(walkthrough: Walkthrough) {
    let steps = (walkthrough.play)().await;
    let kept = folder().join(walkthrough.name).with_extension("txt");
    let kept = fs::read_to_string(kept).unwrap_or_default();
    let played = walkthrough.transcript(&steps);
    assert_eq!(played, kept, "if this is meant, run `make recordings`");
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/terminal")
}

#[tokio::test]
async fn a_person_types_echo_signs_in_and_is_greeted() {
    plays_as_recorded(walkthroughs::FIRST_SIGN_IN).await;
}

#[tokio::test]
async fn missing_arguments_are_asked_for_and_checked() {
    plays_as_recorded(walkthroughs::ARGUMENTS).await;
}

#[tokio::test]
async fn a_call_that_needs_more_asks_for_it_and_goes_on() {
    plays_as_recorded(walkthroughs::STEP_UP).await;
}

#[tokio::test]
async fn the_servers_own_questions_are_answered_or_declined() {
    plays_as_recorded(walkthroughs::ELICITATION).await;
}

#[tokio::test]
async fn a_page_is_shown_and_opened_only_when_the_person_says_yes() {
    plays_as_recorded(walkthroughs::VISIT).await;
}

#[tokio::test]
async fn a_long_call_shows_how_far_it_is_and_ctrl_c_stops_it() {
    plays_as_recorded(walkthroughs::PROGRESS).await;
}

#[tokio::test]
async fn a_code_typed_elsewhere_signs_in_and_a_wrong_one_does_not() {
    plays_as_recorded(walkthroughs::DEVICE_LOGIN).await;
}

#[tokio::test]
async fn a_sign_in_explains_itself_on_the_screen() {
    plays_as_recorded(walkthroughs::EXPLAIN).await;
}

#[tokio::test]
async fn the_doctor_names_what_is_wrong_and_how_to_mend_it() {
    plays_as_recorded(walkthroughs::DOCTOR).await;
}

#[tokio::test]
async fn scripts_get_data_statuses_and_no_questions() {
    plays_as_recorded(walkthroughs::SCRIPTS).await;
}

#[test]
fn every_picture_that_is_shown_exists_and_no_other() {
    let page = fs::read_to_string(folder().join("README.md")).unwrap();
    for walkthrough in ALL {
        let pictures = fs::read_dir(folder().join(walkthrough.name)).unwrap().count();
        assert!(pictures > 0, "{}", walkthrough.name);
        for number in 1..=pictures {
            let picture = format!("{}/{number}.svg", walkthrough.name);
            assert!(page.contains(&picture) && folder().join(&picture).exists(), "{picture}");
        }
    }
}
